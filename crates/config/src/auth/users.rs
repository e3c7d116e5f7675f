//! `[[auth.users]]`: static long-term users.

use crate::keys::{Key, Table};
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::secret::{self, Secret};
use crate::value::{Parsed, quoted};

/// RFC 8489 §14.3: USERNAME has fewer than 509 bytes.
const LONGEST_NAME: usize = 508;

/// Shortest password in bytes: one captured exchange is enough to try guesses offline (RFC 8656 §21.1.2).
const SHORTEST_PASSWORD: usize = 12;

pub(crate) const USERS: Table = Table {
    path: "auth.users",
    text: "",
    keys: &[
        Key { name: "name", default: "", example: "\"alice\"", expects: "a name in quotes", text: "" },
        Key { name: "password", default: "", example: "\"…\"", expects: "a password in quotes", text: "" },
    ],
};

/// One of `[[auth.users]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// USERNAME, without a colon.
    pub name: String,
    /// Password as the client has it.
    pub password: Secret,
}

/// All users whose name and password are right.
pub(crate) fn read(reading: &mut Reading<'_>) -> Vec<User> {
    let mut users: Vec<User> = Vec::new();
    for index in 0..reading.tables("auth.users") {
        let path = |key: &str| format!("auth.users[{index}].{key}");
        for key in ["name", "password"] {
            if !reading.has(&path(key)) {
                reading.complain(
                    &path(key),
                    Complaint::wrong("a name and a password", format!("no {key}"), format!("add {key} = \"…\"")),
                );
            }
        }
        let name = reading.text(&path("name"), name);
        let password = reading.text(&path("password"), password);
        let (Some(name), Some(password)) = (name, password) else { continue };
        if users.iter().any(|user| user.name == name) {
            let found = format!("{} a second time", quoted(&name));
            reading.complain(&path("name"), Complaint::wrong("each name once", found, "remove one of the two"));
            continue;
        }
        if password.expose() == "wonderland-password" {
            let about = "this password stands in published samples";
            reading.warn(&path("password"), Complaint::doubt(about, "write another one"));
        }
        users.push(User { name, password });
    }
    users
}

/// A colon would make it look like a time-limited name, `expiry:user`.
fn name(text: &str) -> Parsed<String> {
    let expected = format!("1 to {LONGEST_NAME} bytes without a colon and control characters");
    if text.is_empty() || text.len() > LONGEST_NAME || text.contains(|c: char| c == ':' || c.is_control()) {
        return Err(Complaint::wrong(expected, quoted(text), "write a plain name, like \"alice\""));
    }
    Ok(text.to_owned())
}

fn password(text: &str) -> Parsed<Secret> {
    let expected = format!("a password of at least {SHORTEST_PASSWORD} bytes");
    secret::strong(text, SHORTEST_PASSWORD, &expected, "write the output of `openssl rand -base64 12`")
}
