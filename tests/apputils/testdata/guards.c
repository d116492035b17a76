/* SPDX-License-Identifier: Apache-2.0 */

/* Perimeter, battery, temperature, clock, LED, taps, binding and supervised boot. */
#include <math.h>
#include <time.h>

#include "check.h"

static void perimeter(zkCTX ctx)
{
	uint32_t *times = NULL;
	int n = 0;
	OK(zkSetPerimeterEventAction(ctx, 0, ZK_PERIMETER_EVENT_ACTION_NOTIFY));
	OK(zkSetPerimeterEventAction(ctx, 1, 0));
	EXPECT(zkSetPerimeterEventAction(ctx, 2, 0), -EINVAL);
	EXPECT(zkSetPerimeterEventAction(ctx, -1, 0), -EINVAL);
	EXPECT(zkSetPerimeterEventAction(ctx, 0, 4), -EINVAL);
	OK(zkClearPerimeterDetectEvents(ctx));
	OK(zkGetPerimeterDetectInfo(ctx, &times, &n));
	CHECK(n == 2 && times[0] == 0 && times[1] == 0);
	free(times);
	EXPECT(zkWaitForPerimeterEvent(ctx, 0), -ETIMEDOUT);
	EXPECT(zkWaitForPerimeterEvent(ctx, 20), -ETIMEDOUT);
	OK(zkSetDigitalPerimeterDetectLPPeriod(ctx, 1000));
	EXPECT(zkSetDigitalPerimeterDetectLPPeriod(ctx, -1), -EINVAL);
	OK(zkSetDigitalPerimeterDetectLPMaxBits(ctx, 4));
	EXPECT(zkSetDigitalPerimeterDetectLPMaxBits(ctx, 0), -EINVAL);
	OK(zkSetDigitalPerimeterDetectDelays(ctx, 10, 20));
	EXPECT(zkSetDigitalPerimeterDetectDelays(ctx, 20, 10), -EINVAL);
	EXPECT(zkGetPerimeterDetectInfo(ctx, NULL, &n), -EINVAL);
}

static void monitors(zkCTX ctx)
{
	float value = NAN;
	OK(zkGetCPUTemp(ctx, &value));
	CHECK(value > -10 && value < 65);
	OK(zkGetAUXTemp(ctx, 0, &value));
	OK(zkGetRTCDrift(ctx, &value));
	OK(zkGetBatteryVoltage(ctx, &value));
	CHECK(value > 2.3f && value < 4);
	EXPECT(zkGetCPUTemp(ctx, NULL), -EINVAL);
	OK(zkSetBatteryVoltageAction(ctx, ZK_ACTION_SLEEP));
	EXPECT(zkSetBatteryVoltageAction(ctx, 3), -EINVAL);
	OK(zkSetBatteryVoltageThreshold(ctx, 2.3f));
	EXPECT(zkSetBatteryVoltageThreshold(ctx, 2.7f), -EINVAL);
	EXPECT(zkSetBatteryVoltageThreshold(ctx, NAN), -EINVAL);
	OK(zkSetCPUTempAction(ctx, ZK_ACTION_NONE));
	EXPECT(zkSetCPUTempAction(ctx, ZK_ACTION_SLEEP), -EINVAL);
	OK(zkSetCPULowTempThreshold(ctx, -5));
	OK(zkSetCPUHighTempThreshold(ctx, 60));
	EXPECT(zkSetCPUHighTempThreshold(ctx, INFINITY), -EINVAL);
}

static void board(zkCTX ctx)
{
	zkAccelAxisDataType x = {9, 9}, y = {9, 9}, z = {9, 9};
	uint32_t now = 0, then = time(NULL);
	OK(zkLEDOn(ctx));
	OK(zkLEDOff(ctx));
	OK(zkLEDFlash(ctx, 100, 100, 3));
	OK(zkGetTime(ctx, &now, false));
	CHECK(now >= then - 1 && now <= then + 60);
	OK(zkGetTime(ctx, &now, true));
	EXPECT(zkGetTime(ctx, NULL, true), -EINVAL);
	EXPECT(zkSetI2CAddr(ctx, 0x30), -EOPNOTSUPP);
	EXPECT(zkSetI2CAddr(ctx, 0x40), -EINVAL);
	OK(zkSetTapSensitivity(ctx, ZK_ACCEL_AXIS_ALL, 50));
	EXPECT(zkSetTapSensitivity(ctx, 4, 50), -EINVAL);
	EXPECT(zkSetTapSensitivity(ctx, 0, 101), -EINVAL);
	EXPECT(zkWaitForTap(ctx, 10), -ETIMEDOUT);
	OK(zkGetAccelerometerData(ctx, &x, &y, &z));
	CHECK(x.g == 0 && y.g == 0 && z.g == 1 && z.tapDirection == 0);
	EXPECT(zkGetAccelerometerData(ctx, &x, NULL, &z), -EINVAL);
}

static void boot(zkCTX ctx)
{
	char *manifest = NULL;
	EXPECT(zkAddOrUpdateSupervisedBootFile(ctx, "no such file", 15), -EINVAL);
	EXPECT(zkAddOrUpdateSupervisedBootFile(ctx, "../etc/passwd", 15), -EINVAL);
	EXPECT(zkAddOrUpdateSupervisedBootFile(ctx, "config.txt", 16), -EINVAL);
	EXPECT(zkAddOrUpdateSupervisedBootFile(ctx, NULL, 15), -EINVAL);
	EXPECT(zkRemoveSupervisedBootFile(ctx, "config.txt"), -EINVAL);
	OK(zkGetSupervisedBootFileManifest(ctx, &manifest));
	CHECK(strcmp(manifest, "") == 0);
	free(manifest);
	OK(zkSetSupervisedBootPolicy(ctx, ZK_SUPBOOT_FAIL_DESTROY));
	EXPECT(zkSetSupervisedBootPolicy(ctx, 3), -EINVAL);
}

/* Comes last: a locked binding is for ever. */
static void binding(zkCTX ctx)
{
	bool locked = true, bound = false;
	OK(zkGetCurrentBindingInfo(ctx, &locked, &bound));
	CHECK(!locked && bound);
	EXPECT(zkGetCurrentBindingInfo(ctx, NULL, &bound), -EINVAL);
	OK(zkLockBinding(ctx));
	OK(zkGetCurrentBindingInfo(ctx, &locked, &bound));
	CHECK(!locked); /* until the module starts again */
}

int main(void)
{
	zkCTX ctx = opened();
	perimeter(ctx);
	monitors(ctx);
	board(ctx);
	boot(ctx);
	binding(ctx);
	OK(zkClose(ctx));
	return 0;
}
