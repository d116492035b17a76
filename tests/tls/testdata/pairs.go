// SPDX-License-Identifier: Apache-2.0

// Prints how many key pairs crypto11 lists of a token: the path of the module, the token's label and the user's PIN are told.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/ThalesIgnite/crypto11"
)

func main() {
	token, err := crypto11.Configure(&crypto11.Config{Path: os.Args[1], TokenLabel: os.Args[2], Pin: os.Args[3]})
	if err != nil {
		log.Fatal(err)
	}
	pairs, err := token.FindAllKeyPairs()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(pairs))
}
