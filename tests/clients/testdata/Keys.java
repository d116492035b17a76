// SPDX-License-Identifier: Apache-2.0

import java.net.Socket;
import java.security.*;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.spec.*;
import java.util.*;
import java.util.concurrent.Callable;
import javax.crypto.*;
import javax.crypto.spec.*;
import javax.net.ssl.*;

/** Uses the token by SunPKCS11, as programs of Java do. It prints a line for each use: its name, and "ok" or what went wrong. */
class Keys {
	static final byte[] message = "a message of 32 bytes, no less..".getBytes();
	static Provider token;

	static void check(String name, Callable<Boolean> use) {
		String result;
		try {
			result = use.call() ? "ok" : "wrong";
		} catch (Throwable t) {
			result = t + " / " + t.getCause();
		}
		System.out.println(name + ": " + result);
	}

	static boolean signs(String algorithm, PrivateKey key, PublicKey publicKey, AlgorithmParameterSpec how) throws Exception {
		Signature s = Signature.getInstance(algorithm, token), v = Signature.getInstance(algorithm);
		if (how != null) {
			s.setParameter(how);
			v.setParameter(how);
		}
		s.initSign(key);
		s.update(message);
		v.initVerify(publicKey);
		v.update(message);
		return v.verify(s.sign());
	}

	static boolean encrypts(String algorithm, Key key, Key other) throws Exception {
		Cipher c = Cipher.getInstance(algorithm, token), d = Cipher.getInstance(algorithm, token);
		c.init(Cipher.ENCRYPT_MODE, key);
		byte[] text = c.doFinal(message);
		if (c.getParameters() == null)
			d.init(Cipher.DECRYPT_MODE, other);
		else
			d.init(Cipher.DECRYPT_MODE, other, c.getParameters());
		return Arrays.equals(d.doFinal(text), message);
	}

	static boolean authenticates(String algorithm) throws Exception {
		SecretKeySpec key = new SecretKeySpec(message, algorithm);
		Mac mac = Mac.getInstance(algorithm, token), other = Mac.getInstance(algorithm, "SunJCE");
		mac.init(key);
		other.init(key);
		return Arrays.equals(mac.doFinal(message), other.doFinal(message));
	}

	static boolean agrees(KeyPair a, KeyPair b) throws Exception {
		KeyAgreement here = KeyAgreement.getInstance("ECDH", token), there = KeyAgreement.getInstance("ECDH", "SunEC");
		here.init(a.getPrivate());
		here.doPhase(b.getPublic(), true);
		there.init(b.getPrivate());
		there.doPhase(a.getPublic(), true);
		return Arrays.equals(here.generateSecret(), there.generateSecret());
	}

	static boolean wraps(KeyPair pair) throws Exception {
		Cipher c = Cipher.getInstance("RSA/ECB/PKCS1Padding", token);
		c.init(Cipher.WRAP_MODE, pair.getPublic());
		byte[] wrapped = c.wrap(new SecretKeySpec(message, "AES"));
		c.init(Cipher.UNWRAP_MODE, pair.getPrivate());
		return c.unwrap(wrapped, "AES", Cipher.SECRET_KEY) != null;
	}

	/** The key and the certificate of one alias, for a server. */
	record Alias(KeyStore store, String name) implements X509KeyManager {
		public String[] getClientAliases(String type, Principal[] issuers) { return null; }
		public String chooseClientAlias(String[] type, Principal[] issuers, Socket socket) { return null; }
		public String[] getServerAliases(String type, Principal[] issuers) { return new String[]{name}; }
		public String chooseServerAlias(String type, Principal[] issuers, Socket socket) { return type.equals("RSA") ? name : null; }
		public X509Certificate[] getCertificateChain(String alias) {
			try {
				return new X509Certificate[]{(X509Certificate) store.getCertificate(alias)};
			} catch (KeyStoreException e) {
				throw new RuntimeException(e);
			}
		}
		public PrivateKey getPrivateKey(String alias) {
			try {
				return (PrivateKey) store.getKey(alias, null);
			} catch (GeneralSecurityException e) {
				throw new RuntimeException(e);
			}
		}
	}

	/** A client that trusts the certificate of an alias talks to a server that has its key, by one version of TLS. */
	static boolean serves(KeyStore store, String alias, String version) throws Exception {
		KeyStore trusted = KeyStore.getInstance("PKCS12");
		trusted.load(null, null);
		trusted.setCertificateEntry(alias, store.getCertificate(alias));
		TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
		trust.init(trusted);
		SSLContext server = SSLContext.getInstance("TLS"), client = SSLContext.getInstance(version);
		server.init(new KeyManager[]{new Alias(store, alias)}, null, null);
		client.init(null, trust.getTrustManagers(), null);
		try (SSLServerSocket listening = (SSLServerSocket) server.getServerSocketFactory().createServerSocket(0)) {
			Thread answering = new Thread(() -> {
				try (Socket s = listening.accept()) {
					s.getOutputStream().write(message);
				} catch (java.io.IOException e) {
					System.err.println(e);
				}
			});
			answering.start();
			try (SSLSocket s = (SSLSocket) client.getSocketFactory().createSocket("localhost", listening.getLocalPort())) {
				s.setEnabledProtocols(new String[]{version});
				return Arrays.equals(s.getInputStream().readNBytes(message.length), message) && s.getSession().getProtocol().equals(version);
			} finally {
				answering.join();
			}
		}
	}

	static KeyPair generate(String algorithm, Object provider, int size) throws Exception {
		KeyPairGenerator g = provider instanceof Provider p ? KeyPairGenerator.getInstance(algorithm, p)
				: KeyPairGenerator.getInstance(algorithm, (String) provider);
		g.initialize(size);
		return g.generateKeyPair();
	}

	public static void main(String[] args) throws Exception {
		token = Security.getProvider("SunPKCS11").configure(args[0]);
		Security.addProvider(token);
		KeyStore store = KeyStore.getInstance("PKCS11", token);
		store.load(null, args[1].toCharArray());
		for (String alias : List.of("ec256", "ec384")) {
			Certificate c = store.getCertificate(alias);
			check(alias, () -> signs("SHA256withECDSA", (PrivateKey) store.getKey(alias, null), c.getPublicKey(), null));
		}
		KeyPair rsa = generate("RSA", token, 2048), ours = generate("RSA", "SunRsaSign", 2048);
		for (String hash : List.of("SHA1", "SHA256", "SHA384", "SHA512"))
			check(hash + "withRSA", () -> signs(hash + "withRSA", rsa.getPrivate(), rsa.getPublic(), null));
		check("RSASSA-PSS", () -> signs("RSASSA-PSS", rsa.getPrivate(), rsa.getPublic(),
				new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1)));
		check("RSA of Java", () -> signs("SHA256withRSA", ours.getPrivate(), ours.getPublic(), null));
		check("RSA/ECB/PKCS1Padding", () -> encrypts("RSA/ECB/PKCS1Padding", rsa.getPublic(), rsa.getPrivate()));
		check("wrapping", () -> wraps(rsa));
		check("no OAEP in SunPKCS11", () -> {
			try {
				return Cipher.getInstance("RSA/ECB/OAEPWithSHA-256AndMGF1Padding", token) == null;
			} catch (GeneralSecurityException e) {
				return true;
			}
		});
		for (String version : List.of("TLSv1.2", "TLSv1.3"))
			check(version + " with RSA", () -> serves(store, "rsa", version));
		Key aes = store.getKey("aes", null);
		for (String mode : List.of("CBC/PKCS5Padding", "CBC/NoPadding", "ECB/PKCS5Padding", "ECB/NoPadding", "CTR/NoPadding", "GCM/NoPadding"))
			check("AES/" + mode, () -> encrypts("AES/" + mode, aes, aes));
		for (String hash : List.of("SHA1", "SHA224", "SHA256", "SHA384", "SHA512"))
			check("Hmac" + hash, () -> authenticates("Hmac" + hash));
		KeyPair ec = generate("EC", token, 256), other = generate("EC", "SunEC", 256);
		check("ECDH", () -> agrees(ec, other));
		check("EC of Java", () -> signs("SHA256withECDSA", other.getPrivate(), other.getPublic(), null));
		check("a secret key to the store", () -> {
			store.setEntry("brought", new KeyStore.SecretKeyEntry(new SecretKeySpec(message, "AES")), null);
			return store.getKey("brought", null) != null;
		});
	}
}
