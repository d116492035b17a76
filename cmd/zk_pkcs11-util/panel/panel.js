// SPDX-License-Identifier: Apache-2.0
"use strict";

const key = location.pathname.split("/")[1];
const get = (id) => document.getElementById(id);
let blink = [], step = 0, timer = 0;

// The LED goes through the times of its pattern: on, off, on, ... in ms, and again from the start.
function setBlink(times) {
  if (JSON.stringify(times) === JSON.stringify(blink)) return;
  blink = times;
  step = 0;
  clearTimeout(timer);
  get("led").classList.remove("on");
  if (blink.length) nextBlink();
}

function nextBlink() {
  get("led").classList.toggle("on", step % 2 === 0);
  timer = setTimeout(nextBlink, blink[step]);
  step = (step + 1) % blink.length;
}

function rows(table, pairs) {
  const body = table.tBodies[0];
  body.replaceChildren(...pairs.map(([name, value, bad]) => {
    const row = document.createElement("tr");
    row.insertCell().textContent = name;
    const cell = row.insertCell();
    cell.textContent = value;
    if (bad) cell.className = "bad";
    return row;
  }));
}

function drawMap(state) {
  const map = get("map");
  if (map.children.length !== state.total) {
    map.replaceChildren(...Array.from({ length: state.total }, (_, slot) => {
      const cell = document.createElement("i");
      cell.title = "key slot " + slot;
      return cell;
    }));
  }
  const used = new Map(state.slots.map((s) => [s.slot, s]));
  for (let slot = 0; slot < state.total; slot++) {
    const s = used.get(slot);
    const cell = map.children[slot];
    cell.className = "k" + (s ? " used " + (s.curve || "hidden") : "");
    cell.title = "key slot " + slot + (s ? ": " + (s.curve || "hidden") : ": free");
  }
  get("used").textContent = state.slots.length + " of " + state.total + " in use";
}

// A slider that somebody is moving is left alone.
function setSlider(id, shown, value, unit) {
  const slider = get(id);
  if (document.activeElement !== slider || !slider.matches(":active")) slider.value = value;
  get(shown).textContent = value + " " + unit;
}

function show(state) {
  const s = state.status;
  get("meaning").textContent = s.led.pattern + " — " + s.led.meaning;
  setBlink(state.blink);
  setSlider("battery", "volts", s.battery.volts, "V");
  setSlider("temperature", "celsius", s.temperature.celsius, "°C");
  get("battery-note").textContent = "low below " + s.battery.threshold + " V; action: " + s.battery.action;
  get("temperature-note").textContent = "allowed: " + s.temperature.low + " to " + s.temperature.high + " °C; action: " + s.temperature.action;
  get("perimeter-note").textContent = state.perimeter.join("; ");
  rows(get("pkcs11"), state.pkcs11.map((c) => [c.call, c.result + (c.shows ? ": " + c.shows : ""), c.result !== "CKR_OK"]));
  rows(get("status"), state.lines.map((l) => [l.name, l.value, l.name === "Answers" || l.name === "Keys"]));
  drawMap(state);
  get("events").replaceChildren(...state.events.map((e) => {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = e.time;
    item.append(time, e.text);
    return item;
  }));
}

function trouble(text) {
  get("trouble").hidden = !text;
  get("trouble").textContent = text;
}

async function look() {
  try {
    const answer = await fetch("state", { cache: "no-store" });
    if (!answer.ok) throw new Error(await answer.text());
    show(await answer.json());
    trouble("");
  } catch (e) {
    trouble("The panel does not answer: it is closed when the tool ends. (" + e.message + ")");
  }
}

async function act(what, value) {
  const answer = await fetch("act", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Panel-Key": key },
    body: JSON.stringify({ do: what, value: String(value ?? "") }),
  });
  await look();
  if (!answer.ok) trouble(await answer.text());
}

get("battery").addEventListener("change", (e) => act("battery", e.target.value));
get("temperature").addEventListener("change", (e) => act("temperature", e.target.value));
for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", () => act(button.dataset.do, button.dataset.value));
}
show(JSON.parse(get("state").textContent));
setInterval(look, 500);
