//! `posthouse check FILE`: would `run` take it?

use std::path::Path;

use posthouse_config::Loaded;

use crate::exit::Failure;

/// Checks the file and this machine's addresses; prints the settings in force, secrets masked.
pub(crate) fn check(file: &Path, strict: bool) -> Result<(), Failure> {
    let loaded = load(Some(file))?;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    if strict && !loaded.warnings.is_empty() {
        return Err(Failure::config(format!("{}: --strict takes the warnings above for problems", file.display())));
    }
    print!("{}", posthouse_config::effective(&loaded.config));
    Ok(())
}

/// What every verb with a configuration does first. Without a file: the built-in defaults.
pub(crate) fn load(file: Option<&Path>) -> Result<Loaded, Failure> {
    let Some(file) = file else { return Ok(Loaded::default()) };
    let mut loaded = posthouse_config::load(file).map_err(Failure::config)?;
    loaded.check_host().map_err(Failure::config)?;
    Ok(loaded)
}
