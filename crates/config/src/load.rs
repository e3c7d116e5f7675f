//! From a path or a text to a checked configuration.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::zeroize::Zeroizing;

use crate::config::Config;
use crate::document;
use crate::environment;
use crate::host;
use crate::nearest::nearest;
use crate::problem::{Complaint, Problem, Problems};
use crate::reading::Reading;
use crate::reference;
use crate::secrets_file;
use crate::source::Source;
use crate::tls::{Finding, TlsPair};

/// Largest configuration file in bytes.
const LARGEST: u64 = 1024 * 1024;

/// A configuration without problems, what the operator should know about it, and where its values stand.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// What is allowed and doubtful. `check --strict` and a careful eye treat them as problems.
    pub warnings: Vec<Problem>,
    source: Source,
}

/// No file: [`Config::default`].
impl Default for Loaded {
    fn default() -> Self {
        Self { config: Config::default(), warnings: Vec::new(), source: Source::named("built-in defaults") }
    }
}

impl Loaded {
    /// Without warnings.
    pub(crate) fn of(config: Config, source: Source) -> Self {
        Self { config, warnings: Vec::new(), source }
    }

    /// The settings in force as a file, with secrets masked; behind each value that is not a default, where it came from.
    pub fn effective(&self) -> String {
        reference::with_origins(&self.config, |path| self.source.origin(path))
    }

    /// The names of the environment's variables that set something.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.source.variables()
    }

    /// Asks this machine whether the addresses are its own; the answers are true for now and for here.
    ///
    /// Adds a warning when the process may not open as many files as the allocations may need.
    pub fn check_host(&mut self) -> Result<(), Problems> {
        self.warnings.extend(host::scarce_files(&self.source, &self.config));
        match Problems::of(host::foreign_addresses(&self.source, &self.config), 0) {
            Some(problems) => Err(problems),
            None => Ok(()),
        }
    }

    /// Lets `judge` look at the files of each pair in `[tls]`, certificate and key: it says what is doubtful, or why the pair
    /// cannot be served. Which of them a client sees, and what is in them, is not known here.
    pub fn check_certificates(
        &mut self,
        judge: impl Fn(&TlsPair) -> Result<Vec<Finding>, Finding>,
    ) -> Result<(), Problems> {
        let mut problems = Vec::new();
        for (index, pair) in self.config.tls.all_pairs().iter().enumerate() {
            let told = |finding: Finding| {
                let key = self.config.tls.key_of(index, finding.is_about_key);
                self.source.problem(&key, finding.complaint(pair))
            };
            match judge(pair) {
                Ok(doubts) => self.warnings.extend(doubts.into_iter().map(told)),
                Err(fault) => problems.push(told(fault)),
            }
        }
        Problems::of(problems, 0).map_or(Ok(()), Err)
    }

    /// Asks whether the dialects that `[signaling]` names are among those that are `known`.
    pub fn check_dialects(&self, known: &[&str]) -> Result<(), Problems> {
        let signaling = &self.config.signaling;
        let disabled = signaling.disabled.iter().enumerate();
        let named = disabled.map(|(index, name)| (format!("signaling.disabled[{index}]"), name));
        let named = named.chain(signaling.root.iter().map(|name| ("signaling.root".to_owned(), name)));
        let strange = named.filter(|(_, name)| !known.contains(&name.as_str())).map(|(key, name)| {
            let near = nearest(name, known.iter().copied()).unwrap_or("nothing");
            let expected = format!("one of {}", known.join(", "));
            self.source.problem(&key, Complaint::wrong(expected, format!("\"{name}\""), format!("write {near}")))
        });
        Problems::of(strange.collect(), 0).map_or(Ok(()), Err)
    }
}

/// Reads and checks the file at `path`, the environment, which wins over it, and the file of secrets that it names; relative paths in it begin at its folder. Asks nothing else of this machine: for
/// that there is [`Loaded::check_host`].
pub fn load(path: impl AsRef<Path>) -> Result<Loaded, Problems> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let text = read(path).map_err(|complaint| Source::named(&name).problem("", complaint))?;
    let mut loaded = parse_with(&text, &name, std::env::vars_os())?;
    loaded.read_files(path.parent().unwrap_or(Path::new("")))?;
    loaded.warnings.extend(readable_secrets(path, &loaded));
    Ok(loaded)
}

/// [`load()`] without a file: the environment over the defaults. Relative paths begin where the process does.
pub fn without_file() -> Result<Loaded, Problems> {
    let mut loaded = parse_with("", "built-in defaults", std::env::vars_os())?;
    loaded.read_files(Path::new(""))?;
    Ok(loaded)
}

impl Loaded {
    /// Reads the files that are named; relative paths begin at `folder`.
    fn read_files(&mut self, folder: &Path) -> Result<(), Problems> {
        self.config.tls.begin_at(folder);
        let Some(file) = self.config.auth.secrets_file.clone() else { return Ok(()) };
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        let secrets = file.path(folder, credentials.as_deref()).and_then(|path| secrets_file::read(&path));
        let problem = |complaint| self.source.problem("auth.secrets_file", complaint);
        let (secrets, warning) = secrets.map_err(problem)?;
        self.warnings.extend(warning.map(problem));
        self.config.auth.secrets = secrets;
        Ok(())
    }
}

/// A warning when the configuration holds secrets and everybody on the machine can read it.
fn readable_secrets(path: &Path, loaded: &Loaded) -> Option<Problem> {
    let Config { auth, admin, webhooks, .. } = &loaded.config;
    let kept = [
        ("auth.secrets", auth.secrets_file.is_none() && !auth.secrets.is_empty()),
        ("auth.users", !auth.users.is_empty()),
        ("admin.token", admin.token.is_some()),
        ("webhooks.secret", webhooks.secret.is_some()),
    ];
    let (key, _) = kept.into_iter().find(|(key, is_there)| *is_there && !loaded.source.is_environment(key))?;
    let open = std::fs::metadata(path).ok()?.permissions().mode() & 0o004 != 0;
    let about = "it is secret, but everybody on this machine can read this file";
    open.then(|| loaded.source.problem(key, Complaint::doubt(about, "chmod 0640 and let the service's group own it")))
}

/// Reads and checks `text`; `name` stands for the file in complaints. Touches neither disk nor network:
/// `auth.secrets_file` is noted and not read.
pub fn parse(text: &str, name: &str) -> Result<Loaded, Problems> {
    parse_with(text, name, [])
}

/// [`parse`] with an environment, whose variables win over the text: `POSTHOUSE_RELAY_LISTEN` is `relay.listen`.
pub fn parse_with(
    text: &str,
    name: &str,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, Problems> {
    let variables = environment::variables(environment);
    let (mut tree, mut source, mut problems) = document::parse(name, text)?;
    let (set, wrong) = environment::overlay(&variables, tree.get_mut());
    source.lay_over(set, tree.get_ref());
    problems.extend(wrong);
    let mut reading = Reading::new(&source, tree.get_ref());
    let config = Config::read(&mut reading);
    let (found, more, warnings) = reading.finish();
    problems.extend(found);
    match Problems::of(problems, more) {
        Some(problems) => Err(problems),
        None => Ok(Loaded { warnings, ..Loaded::of(config, source) }),
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, Complaint> {
    let metadata = std::fs::metadata(path).map_err(|error| {
        Complaint::file(error.to_string(), "name a file that exists; `posthouse config` prints one to begin with")
    })?;
    if metadata.is_dir() {
        return Err(Complaint::file("is a directory", "name the file in it"));
    }
    if !metadata.is_file() {
        return Err(Complaint::file("is not a regular file", "name a file on disk"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let file = std::fs::File::open(path);
    let size = file.and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    let size = size.map_err(|error| Complaint::file(error.to_string(), "let the service's user read it"))?;
    if size as u64 > LARGEST {
        return Err(Complaint::file("is larger than 1 MiB", "name the configuration file; it has a few lines"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(Complaint::file(format!("is not UTF-8 in line {line}"), "save it as UTF-8"))
        }
    }
}
