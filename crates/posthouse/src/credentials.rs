//! `posthouse credentials --user NAME`: a time-limited TURN credential for use by hand.

use serde_json::json;

use crate::check::load;
use crate::cli::CredentialsAsk;
use crate::exit::Failure;
use crate::ice::{IceUrls, Mint};

/// Prints one credential, signed with the file's first secret.
pub(crate) fn print(ask: &CredentialsAsk) -> Result<(), Failure> {
    if ask.user.is_empty() || ask.user.len() > 256 || ask.user.contains([':', '\n', '\r']) {
        let sentence = "--user: expected 1 to 256 bytes without a colon or line end, as the name becomes EXPIRY:NAME";
        return Err(Failure::usage(sentence));
    }
    let config = load(ask.config.as_deref())?.config;
    let Some(secret) = config.auth.secrets.first() else {
        return Err(Failure::config(match &ask.config {
            Some(file) => {
                format!("{}: auth.secrets: expected at least one secret to sign with, found none", file.display())
            }
            None => {
                "name the file whose auth.secrets sign: --config FILE; without a file each run makes its own secret"
                    .into()
            }
        }));
    };
    let mint = Mint::new(secret.clone(), config.auth.credential_lifetime);
    let minted = mint.credential(&ask.user);
    let urls = IceUrls::of(&config);
    if ask.json {
        let servers = json!({ "iceServers": [
            { "urls": urls.stun },
            { "urls": urls.turn, "username": minted.username, "credential": minted.password },
        ]});
        println!("{servers:#}");
    } else {
        println!("username   {}\npassword   {}", minted.username, minted.password);
        println!("good for   {}", humantime(mint.lifetime().as_secs()));
        println!("servers    {}", urls.turn.join("  "));
    }
    Ok(())
}

fn humantime(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (h, 0, 0) => format!("{h} h"),
        (0, m, 0) => format!("{m} min"),
        _ => format!("{seconds} s"),
    }
}
