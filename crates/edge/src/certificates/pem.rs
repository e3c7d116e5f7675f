//! PEM files on disk. Errors are what is wrong, and what to do.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use rustls_pki_types::pem::{Error, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// Largest file in bytes: a chain has a few kilobytes.
const LARGEST: u64 = 1024 * 1024;

/// Reason, and what to do.
type Fault = (String, String);

/// All certificates of a file, at least one.
pub(super) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Err(error) => Err(fault(format!("is broken ({error})"), "copy the file again as it was issued")),
        Ok(chain) if chain.is_empty() && has(&text, "PRIVATE KEY-----") => {
            Err(fault("holds a private key and no certificate", "name the file with the certificate and its chain"))
        }
        Ok(chain) if chain.is_empty() => {
            Err(fault("holds no certificate", "write the certificate and its chain into it, as PEM"))
        }
        Ok(chain) => Ok(chain),
    }
}

/// The first private key of a file.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, Fault> {
    let text = read(path)?;
    // PKCS #8 says so in its label, OpenSSL's older form in a header.
    if has(&text, "BEGIN ENCRYPTED PRIVATE KEY") || has(&text, "4,ENCRYPTED") {
        let write = format!("remove its pass phrase: openssl pkey -in {} -out NEW", path.display());
        return Err(fault("holds an encrypted key", &write));
    }
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(Error::NoItemsFound) if has(&text, "BEGIN CERTIFICATE") => {
            Err(fault("holds a certificate and no key", "name the file with the private key"))
        }
        Err(Error::NoItemsFound) => Err(fault("holds no private key", "write the private key into it, as PEM")),
        Err(error) => Err(fault(format!("is broken ({error})"), "copy the file again as it was made")),
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let told = |error: &std::io::Error| match error.kind() {
        ErrorKind::NotFound => fault("does not exist", "name a file that exists"),
        _ => fault(format!("cannot be read ({error})"), "let the service's user read it"),
    };
    // Asked before it is opened: a pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(|error| told(&error))?;
    if !metadata.is_file() {
        return Err(fault("is not a regular file", "name the file itself"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(told(&error)),
        Ok(size) if size as u64 > LARGEST => Err(fault("is larger than 1 MiB", "name a PEM file")),
        Ok(0) => Err(fault("is empty", "write the PEM text into it")),
        Ok(_) => Ok(bytes),
    }
}

fn has(text: &[u8], words: &str) -> bool {
    text.windows(words.len()).any(|window| window == words.as_bytes())
}

fn fault(reason: impl Into<String>, write: &str) -> Fault {
    (reason.into(), write.to_owned())
}
