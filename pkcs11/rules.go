// SPDX-License-Identifier: Apache-2.0

package pkcs11

// kind is the form of an attribute's value.
type kind uint8

const (
	octets  kind = iota
	truth        // CK_BBOOL
	number       // CK_ULONG
	date         // CK_DATE, or empty
	numbers      // array of CK_ULONG
	nested       // a template, as EncodeTemplate has it
)

// constraint is a set of footnotes of the specification's attribute tables
// (section 4.2, table 13).
type constraint uint16

const (
	needCreate   constraint = 1 << iota // C_CreateObject must get it
	needGenerate                        // C_GenerateKeyPair must get it
	notCreate                           // C_CreateObject must not get it
	notGenerate                         // key generation must not get it
	notDerive                           // C_DeriveKey must not get it
	notUnwrap                           // C_UnwrapKey must not get it
	modifiable                          // C_SetAttributeValue and C_CopyObject may change it
	copyable                            // only C_CopyObject may change it
	onlyTrue                            // may be changed to true, not back
	onlyFalse                           // may be changed to false, not back
	concealed                           // is not shown while the object is sensitive or not extractable
	byOfficer                           // may be made true by the SO only
	erasable                            // may be changed to no value
	ofKey                               // follows from the key: only a change to what it is already may name it
	oneOfFour                           // a CK_ULONG of 0 to 3, as the enumerations of certificates are

	ours = notCreate | notGenerate | notDerive | notUnwrap // the token sets it
)

// rule is what holds for one attribute of a kind of object. An attribute whose
// initial value is nil does not exist unless it is set.
type rule struct {
	kind    kind
	is      constraint
	initial []byte
}

// rules are the attributes that a kind of object can have.
type rules map[uint]rule

// empty is the initial value of an attribute that exists without content.
var empty = []byte{}

var storageRules = rules{
	CKA_CLASS:       {number, needCreate, nil},
	CKA_TOKEN:       {truth, copyable, no},
	CKA_PRIVATE:     {truth, copyable, no},
	CKA_MODIFIABLE:  {truth, copyable, yes},
	CKA_LABEL:       {octets, modifiable, empty},
	CKA_COPYABLE:    {truth, modifiable | onlyFalse, yes},
	CKA_DESTROYABLE: {truth, copyable, yes},
	CKA_UNIQUE_ID:   {octets, ours, nil},
}

var dataRules = rules{
	CKA_APPLICATION: {octets, modifiable, empty},
	CKA_OBJECT_ID:   {octets, modifiable, empty},
	CKA_VALUE:       {octets, modifiable, empty},
}

var certificateRules = rules{
	CKA_CERTIFICATE_TYPE:           {number, needCreate, nil},
	CKA_TRUSTED:                    {truth, byOfficer, no},
	CKA_CERTIFICATE_CATEGORY:       {number, oneOfFour, encodeULong(CK_CERTIFICATE_CATEGORY_UNSPECIFIED)},
	CKA_CHECK_VALUE:                {octets, 0, nil},
	CKA_START_DATE:                 {date, 0, empty},
	CKA_END_DATE:                   {date, 0, empty},
	CKA_PUBLIC_KEY_INFO:            {octets, 0, nil},
	CKA_SUBJECT:                    {octets, needCreate, nil},
	CKA_ID:                         {octets, modifiable, empty},
	CKA_ISSUER:                     {octets, modifiable, empty},
	CKA_SERIAL_NUMBER:              {octets, modifiable, empty},
	CKA_VALUE:                      {octets, needCreate, nil},
	CKA_URL:                        {octets, 0, empty},
	CKA_HASH_OF_SUBJECT_PUBLIC_KEY: {octets, 0, empty},
	CKA_HASH_OF_ISSUER_PUBLIC_KEY:  {octets, 0, empty},
	CKA_JAVA_MIDP_SECURITY_DOMAIN:  {number, oneOfFour, encodeULong(CK_SECURITY_DOMAIN_UNSPECIFIED)},
	CKA_NAME_HASH_ALGORITHM:        {number, 0, encodeULong(CKM_SHA_1)},
}

var keyRules = rules{
	CKA_KEY_TYPE:                {number, needCreate, nil},
	CKA_ID:                      {octets, modifiable, empty},
	CKA_START_DATE:              {date, modifiable, empty},
	CKA_END_DATE:                {date, modifiable, empty},
	CKA_DERIVE:                  {truth, modifiable, no},
	CKA_LOCAL:                   {truth, ours, no},
	CKA_KEY_GEN_MECHANISM:       {number, ours, encodeULong(CK_UNAVAILABLE_INFORMATION)},
	CKA_ALLOWED_MECHANISMS:      {numbers, 0, nil},
	CKA_OBJECT_VALIDATION_FLAGS: {number, ours, encodeULong(0)}, // there are no validations
}

var publicKeyRules = rules{
	CKA_SUBJECT:         {octets, modifiable, empty},
	CKA_ENCRYPT:         {truth, modifiable, no},
	CKA_VERIFY:          {truth, modifiable, yes},
	CKA_VERIFY_RECOVER:  {truth, modifiable, no},
	CKA_WRAP:            {truth, modifiable, no},
	CKA_WRAP_TEMPLATE:   {nested, 0, nil},
	CKA_ENCAPSULATE:     {truth, modifiable, no},
	CKA_TRUSTED:         {truth, byOfficer, no},
	CKA_PUBLIC_KEY_INFO: {octets, notGenerate, nil},
}

var privateKeyRules = rules{
	CKA_PRIVATE:             {truth, copyable, yes},
	CKA_SUBJECT:             {octets, modifiable, empty},
	CKA_SENSITIVE:           {truth, modifiable | onlyTrue, yes},
	CKA_DECRYPT:             {truth, modifiable, no},
	CKA_SIGN:                {truth, modifiable, yes},
	CKA_SIGN_RECOVER:        {truth, modifiable, no},
	CKA_UNWRAP:              {truth, modifiable, no},
	CKA_UNWRAP_TEMPLATE:     {nested, 0, nil},
	CKA_DERIVE_TEMPLATE:     {nested, 0, nil},
	CKA_DECAPSULATE:         {truth, modifiable, no},
	CKA_EXTRACTABLE:         {truth, modifiable | onlyFalse, no},
	CKA_ALWAYS_SENSITIVE:    {truth, ours, yes},
	CKA_NEVER_EXTRACTABLE:   {truth, ours, yes},
	CKA_WRAP_WITH_TRUSTED:   {truth, modifiable | onlyTrue, no},
	CKA_ALWAYS_AUTHENTICATE: {truth, 0, no},
	CKA_PUBLIC_KEY_INFO:     {octets, ofKey, nil},
}

var secretKeyRules = rules{
	CKA_PRIVATE:           {truth, copyable, yes},
	CKA_SENSITIVE:         {truth, modifiable | onlyTrue, no},
	CKA_ENCRYPT:           {truth, modifiable, no},
	CKA_DECRYPT:           {truth, modifiable, no},
	CKA_SIGN:              {truth, modifiable, yes},
	CKA_VERIFY:            {truth, modifiable, yes},
	CKA_WRAP:              {truth, modifiable, no},
	CKA_UNWRAP:            {truth, modifiable, no},
	CKA_WRAP_TEMPLATE:     {nested, 0, nil},
	CKA_UNWRAP_TEMPLATE:   {nested, 0, nil},
	CKA_DERIVE_TEMPLATE:   {nested, 0, nil},
	CKA_EXTRACTABLE:       {truth, modifiable | onlyFalse, yes},
	CKA_ALWAYS_SENSITIVE:  {truth, ours, no},
	CKA_NEVER_EXTRACTABLE: {truth, ours, no},
	CKA_WRAP_WITH_TRUSTED: {truth, modifiable | onlyTrue, no},
	CKA_TRUSTED:           {truth, byOfficer, no},
	CKA_CHECK_VALUE:       {octets, erasable, nil},
	CKA_VALUE:             {octets, needCreate | notGenerate | notDerive | notUnwrap | concealed, nil},
	CKA_VALUE_LEN:         {number, notCreate, nil},
}

var ecPublicRules = rules{
	CKA_EC_PARAMS:       {octets, needCreate | needGenerate, nil},
	CKA_EC_POINT:        {octets, needCreate | notGenerate, nil},
	CKA_ZK_SLOT:         {number, notCreate, nil},
	CKA_ZK_FOREIGN:      {truth, notGenerate, nil},
	CKA_ZK_WALLET:       {octets, ours, nil},
	CKA_ZK_NODE_ADDRESS: {octets, ours, nil},
}

// ecPrivateRules has CKA_EC_POINT too, which the specification does not give to
// private keys: clients that find it there are spared a search for the public
// key.
var ecPrivateRules = rules{
	CKA_EC_PARAMS:       {octets, needCreate | notGenerate | notUnwrap, nil},
	CKA_EC_POINT:        {octets, notCreate | notGenerate | notUnwrap, nil},
	CKA_VALUE:           {octets, needCreate | notGenerate | notUnwrap | concealed, nil},
	CKA_ZK_SLOT:         {number, notCreate | notUnwrap, nil},
	CKA_ZK_WALLET:       {octets, ours, nil},
	CKA_ZK_NODE_ADDRESS: {octets, ours, nil},
}

// rsaPublicRules and rsaPrivateRules are those of section 6.1.
//
// What a key may be used for is all that it can do, unless its template says otherwise: SunPKCS11 says nothing, and uses it.
var rsaPublicRules = rules{
	CKA_ENCRYPT:         {truth, modifiable, yes},
	CKA_WRAP:            {truth, modifiable, yes},
	CKA_VERIFY_RECOVER:  {truth, modifiable, yes},
	CKA_MODULUS:         {octets, needCreate | notGenerate, nil},
	CKA_MODULUS_BITS:    {number, notCreate | needGenerate, nil},
	CKA_PUBLIC_EXPONENT: {octets, needCreate, nil},
}

var rsaPrivateRules = rules{
	CKA_DECRYPT:          {truth, modifiable, yes},
	CKA_UNWRAP:           {truth, modifiable, yes},
	CKA_SIGN_RECOVER:     {truth, modifiable, yes},
	CKA_MODULUS:          {octets, needCreate | notGenerate | notUnwrap, nil},
	CKA_PUBLIC_EXPONENT:  {octets, notGenerate | notUnwrap, nil},
	CKA_PRIVATE_EXPONENT: {octets, needCreate | notGenerate | notUnwrap | concealed, nil},
	CKA_PRIME_1:          {octets, notGenerate | notUnwrap | concealed, nil},
	CKA_PRIME_2:          {octets, notGenerate | notUnwrap | concealed, nil},
	CKA_EXPONENT_1:       {octets, notGenerate | notUnwrap | concealed, nil},
	CKA_EXPONENT_2:       {octets, notGenerate | notUnwrap | concealed, nil},
	CKA_COEFFICIENT:      {octets, notGenerate | notUnwrap | concealed, nil},
}

// latticePublicRules and latticePrivateRules are those of ML-DSA and ML-KEM (sections 6.67 and 6.68). What a seed expands to, the
// CKA_VALUE of a private key, is neither shown nor enough to bring one in.
var latticePublicRules = rules{
	CKA_PARAMETER_SET: {number, needCreate | needGenerate, nil},
	CKA_VALUE:         {octets, needCreate | notGenerate, nil},
}

// A caller must not give a private key that is generated a CKA_PARAMETER_SET, but callers do. One that says what the public key's template
// says does no harm.
var latticePrivateRules = rules{
	CKA_PARAMETER_SET: {number, needCreate | notUnwrap, nil},
	CKA_SEED:          {octets, needCreate | notGenerate | notUnwrap | concealed, nil},
	CKA_VALUE:         {octets, notGenerate | notUnwrap | concealed, nil},
}

// kemPublicRules and kemPrivateRules are those of ML-KEM: what its keys are for when nobody says, and what comes of them.
var kemPublicRules = rules{
	CKA_ENCAPSULATE:          {truth, modifiable, yes},
	CKA_ENCAPSULATE_TEMPLATE: {nested, 0, nil},
	CKA_VERIFY:               {truth, modifiable, no},
}

var kemPrivateRules = rules{
	CKA_DECAPSULATE:          {truth, modifiable, yes},
	CKA_DECAPSULATE_TEMPLATE: {nested, 0, nil},
	CKA_SIGN:                 {truth, modifiable, no},
}

// aesRules are those of section 6.10.2, over those of secret keys.
var aesRules = rules{
	CKA_ENCRYPT:   {truth, modifiable, yes},
	CKA_DECRYPT:   {truth, modifiable, yes},
	CKA_WRAP:      {truth, modifiable, yes},
	CKA_UNWRAP:    {truth, modifiable, yes},
	CKA_VALUE_LEN: {number, notCreate | needGenerate, nil},
}

// The kinds of objects.
var (
	rsaPublicObject   = mergeRules(storageRules, keyRules, publicKeyRules, rsaPublicRules)
	rsaPrivateObject  = mergeRules(storageRules, keyRules, privateKeyRules, rsaPrivateRules)
	latticePublic     = mergeRules(storageRules, keyRules, publicKeyRules, latticePublicRules)
	latticePrivate    = mergeRules(storageRules, keyRules, privateKeyRules, latticePrivateRules)
	kemPublic         = mergeRules(latticePublic, kemPublicRules)
	kemPrivate        = mergeRules(latticePrivate, kemPrivateRules)
	aesObject         = mergeRules(storageRules, keyRules, secretKeyRules, aesRules)
	dataObject        = mergeRules(storageRules, dataRules)
	certificateObject = mergeRules(storageRules, certificateRules)
	ecPublicObject    = mergeRules(storageRules, keyRules, publicKeyRules, ecPublicRules)
	ecPrivateObject   = mergeRules(storageRules, keyRules, privateKeyRules, ecPrivateRules)
	secretObject      = mergeRules(storageRules, keyRules, secretKeyRules)
)

// mergeRules joins tables; what stands later wins.
func mergeRules(tables ...rules) rules {
	all := rules{}
	for _, table := range tables {
		for t, r := range table {
			all[t] = r
		}
	}
	return all
}

// rulesFor returns the rules of a kind of object. What this token has no
// objects of is CKR_ATTRIBUTE_VALUE_INVALID.
func rulesFor(class, keyType uint) (rules, error) {
	switch class {
	case CKO_DATA:
		return dataObject, nil
	case CKO_CERTIFICATE:
		return certificateObject, nil
	case CKO_TRUST:
		return trustObject, nil
	case CKO_DOMAIN_PARAMETERS:
		if r, known := parameterObjects[keyType]; known {
			return r, nil
		}
	case CKO_SECRET_KEY:
		switch {
		case isSecretType(keyType), keyType == CKK_HKDF:
			return secretObject, nil
		case keyType == CKK_AES:
			return aesObject, nil
		}
	case CKO_PUBLIC_KEY:
		if isCurveType(keyType) {
			return ecPublicObject, nil
		}
		if keyType == CKK_RSA {
			return rsaPublicObject, nil
		}
		switch keyType {
		case CKK_ML_DSA:
			return latticePublic, nil
		case CKK_ML_KEM:
			return kemPublic, nil
		}
	case CKO_PRIVATE_KEY:
		if isCurveType(keyType) {
			return ecPrivateObject, nil
		}
		if keyType == CKK_RSA {
			return rsaPrivateObject, nil
		}
		switch keyType {
		case CKK_ML_DSA:
			return latticePrivate, nil
		case CKK_ML_KEM:
			return kemPrivate, nil
		}
	}
	return nil, CKR_ATTRIBUTE_VALUE_INVALID
}

func isLatticeType(keyType uint) bool { return keyType == CKK_ML_DSA || keyType == CKK_ML_KEM }

func isCurveType(keyType uint) bool {
	return keyType == CKK_EC || keyType == CKK_EC_EDWARDS || keyType == CKK_EC_MONTGOMERY
}

// initialFor is initial for an object of a token. Where no keys are sealed, no mechanism uses a secret, and it does not say so.
func (r rules) initialFor(t *token) attributes {
	a := r.initial()
	if _, secret := r[CKA_VALUE_LEN]; secret && !t.sealsKeys() {
		a[CKA_SIGN], a[CKA_VERIFY] = no, no
	}
	return a
}

// initial returns the attributes that an object has when nobody set them.
func (r rules) initial() attributes {
	a := make(attributes, len(r))
	for t, x := range r {
		if x.initial != nil {
			a[t] = x.initial
		}
	}
	return a
}
