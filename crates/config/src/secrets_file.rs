//! Secrets beside the file: one a line, or a systemd credential.

use std::ffi::OsStr;
use std::fmt;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use crate::problem::Complaint;
use crate::secret::{self, Secret};
use crate::value::{Parsed, quoted};

/// Largest file of secrets in bytes.
const LARGEST: u64 = 64 * 1024;

/// Where the secrets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretsFile {
    /// A path; a relative one begins at the folder of the configuration file.
    Path(PathBuf),
    /// `credential:NAME`: a file that systemd put into `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

impl fmt::Display for SecretsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Credential(name) => write!(f, "credential:{name}"),
        }
    }
}

impl SecretsFile {
    /// The words of the file; none when empty.
    pub(crate) fn parse(text: &str) -> Parsed<Option<Self>> {
        let Some(name) = text.strip_prefix("credential:") else {
            return Ok((!text.is_empty()).then(|| Self::Path(PathBuf::from(text))));
        };
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            let expected = "the name of a systemd credential after \"credential:\"";
            return Err(Complaint::wrong(expected, quoted(text), "write the NAME of LoadCredential=NAME:PATH"));
        }
        Ok(Some(Self::Credential(name.to_owned())))
    }

    /// Where the secrets are on this machine. `folder` holds the configuration file, `credentials` is what systemd set.
    pub(crate) fn path(&self, folder: &Path, credentials: Option<&OsStr>) -> Parsed<PathBuf> {
        match self {
            Self::Path(path) => Ok(folder.join(path)),
            Self::Credential(name) => match credentials {
                Some(directory) => Ok(Path::new(directory).join(name)),
                None => Err(Complaint::file(
                    format!("the systemd credential \"{name}\" is not here: CREDENTIALS_DIRECTORY is not set"),
                    "start the service with LoadCredential=, or set CREDENTIALS_DIRECTORY to the folder that holds the file",
                )),
            },
        }
    }
}

/// The secrets of a file, and a warning when everybody on the machine can read it.
pub(crate) fn read(path: &Path) -> Parsed<(Vec<Secret>, Option<Complaint>)> {
    let failed = |reason: &dyn fmt::Display, write: &str| {
        Err(Complaint::file(format!("{}: {reason}", path.display()), write.to_owned()))
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return failed(&"not a regular file", "name the file itself"),
        Err(error) => {
            return failed(&error, "create it with one secret a line, mode 0400, owned by the service's user");
        }
    };
    let mut text = Zeroizing::new(String::new());
    let read = std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
    match read {
        Err(error) => return failed(&error, "let the service's user read it, as UTF-8 text"),
        Ok(bytes) if bytes as u64 > LARGEST => return failed(&"larger than 64 KiB", "keep one secret a line in it"),
        Ok(_) => {}
    }
    let mut secrets = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        match secret::signing(line) {
            Ok(secret) => secrets.push(secret),
            Err(complaint) => return failed(&format!("line {}: {complaint}", index + 1), "then try again"),
        }
    }
    if secrets.is_empty() {
        return failed(&"holds no secret", "write one a line: `openssl rand -base64 32`");
    }
    let open = metadata.permissions().mode() & 0o007 != 0;
    let warning = open.then(|| {
        let about = format!("{} can be read by everybody on this machine", path.display());
        Complaint::doubt(about, "chmod 0400 and let the service's user own it")
    });
    Ok((secrets, warning))
}
