//! Recorded requests and exact answers: `tests/golden/apprtc/*.golden` at the root of the project.
//!
//! ```text
//! # A comment. In the first line, `#! require_join = false` opens a Collider of its own.
//! POST /join/kitchen           a request; `+ Name: value` adds a header, `| text` a body
//! < 200                        what came back: status, headers in order of the alphabet, an empty line, the body
//! alice = client_id            a value out of the last answer's `params`; from here on it reads `{alice}`
//! WS a                         opens a socket
//! WS a > {"cmd":"register"}    says something on it
//! WS a <                       hears a frame
//! < {"msg":"","error":""}⏎
//! WS a closed                  hears the end
//! < 1000
//! ```
//!
//! `GOLDEN=write cargo test -p posthouse-signaling golden` writes down what comes back; read the difference before you
//! keep it.

use std::{collections::HashMap, fs, path::Path};

use serde_json::Value;

use crate::house::{House, Socket};

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_what_the_golden_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/apprtc");
    let write = std::env::var_os("GOLDEN").is_some_and(|mode| mode == "write");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "golden"));
    assert!(files.len() >= 5, "the golden files are there");
    for path in files {
        let recorded = fs::read_to_string(&path).unwrap();
        let played = play(&recorded).await;
        if write {
            fs::write(&path, played).unwrap();
        } else {
            assert_eq!(played, recorded, "{}", path.display());
        }
    }
}

/// Plays the client's lines of a file, and writes the file anew with what came back.
async fn play(recorded: &str) -> String {
    let collider = recorded.starts_with("#! require_join = false");
    let house = House::with(|config| config.rooms.require_join = !collider).await;
    let mut play = Play { house, names: HashMap::new(), sockets: HashMap::new(), last: Value::Null };
    let mut lines = recorded.lines().filter(|line| !line.starts_with('<')).peekable();
    let mut played = String::new();
    while let Some(first) = lines.next() {
        let mut request = vec![first];
        while let Some(more) = lines.next_if(|line| line.starts_with(['+', '|'])) {
            request.push(more);
        }
        let heard = play.step(&request).await;
        request.iter().for_each(|line| played += &format!("{line}\n"));
        heard.iter().for_each(|line| played += &format!("{}\n", format!("< {line}").trim_end()));
    }
    played
}

struct Play {
    house: House,
    names: HashMap<String, String>,
    sockets: HashMap<String, Socket>,
    last: Value,
}

impl Play {
    async fn step(&mut self, lines: &[&str]) -> Vec<String> {
        let line = self.fill_in(lines[0]);
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            [] | [""] => Vec::new(),
            [mark, ..] if mark.starts_with('#') => Vec::new(),
            [name, "=", key] => {
                let value = self.last["params"][*key].as_str().expect("the last answer has it").to_owned();
                self.names.insert((*name).to_owned(), value);
                Vec::new()
            }
            ["WS", name] => {
                let socket = self.house.socket().await;
                self.sockets.insert((*name).to_owned(), socket);
                Vec::new()
            }
            ["WS", name, ">", text] => {
                self.sockets.get_mut(*name).unwrap().say(text).await;
                Vec::new()
            }
            ["WS", name, "<"] => {
                let frame = self.sockets.get_mut(*name).unwrap().frame().await.expect("a frame comes");
                vec![self.leave_out(&frame.replace('\n', "⏎"))]
            }
            ["WS", name, "closed"] => {
                let code = self.sockets.get_mut(*name).unwrap().closed().await;
                vec![code.map_or("no code".to_owned(), |code| code.to_string())]
            }
            [method, path] => self.ask(method, path, &lines[1..]).await,
            other => panic!("what is {other:?}?"),
        }
    }

    async fn ask(&mut self, method: &str, path: &str, more: &[&str]) -> Vec<String> {
        let more: Vec<String> = more.iter().map(|line| self.fill_in(line)).collect();
        let headers: Vec<(&str, &str)> =
            more.iter().filter_map(|line| line.strip_prefix("+ ")?.split_once(": ")).collect();
        let body: Vec<&str> = more.iter().filter_map(|line| line.strip_prefix("| ")).collect();
        let answer = self.house.ask(method, path, &headers, &body.join("\n")).await;
        self.last = serde_json::from_str(&answer.body).unwrap_or_default();
        let dull = ["date", "content-length", "connection"];
        let mut lines: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        lines.retain(|line| !dull.iter().any(|name| line.starts_with(name)));
        lines.sort();
        lines.insert(0, answer.status.to_string());
        lines.push(String::new());
        lines.extend(answer.body.lines().map(str::to_owned));
        lines.iter().map(|line| self.leave_out(line)).collect()
    }

    fn fill_in(&self, line: &str) -> String {
        let filled = line.replace("{host}", &self.house.address.to_string());
        self.names.iter().fold(filled, |line, (name, value)| line.replace(&format!("{{{name}}}"), value))
    }

    /// What differs from run to run, by its name.
    fn leave_out(&self, line: &str) -> String {
        let line = line.replace(&self.house.address.to_string(), "{host}");
        let named = |line: String, (name, value): (&String, &String)| line.replace(value, &format!("{{{name}}}"));
        let line = self.names.iter().fold(line, named);
        let line = runs(&line, |c| c.is_ascii_digit(), 32, "{id}");
        let line = runs(&line, |c| c.is_ascii_hexdigit(), 20, "{label}");
        match line.split_once("\"upsec\":") {
            Some((before, after)) => {
                let rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || ".e-".contains(c));
                format!("{before}\"upsec\":{{seconds}}{rest}")
            }
            None => line,
        }
    }
}

/// Replaces every run of exactly `length` such characters.
fn runs(line: &str, belongs: fn(char) -> bool, length: usize, name: &str) -> String {
    let (mut replaced, mut run) = (String::new(), String::new());
    for c in line.chars().map(Some).chain([None]) {
        if let Some(c) = c.filter(|c| belongs(*c)) {
            run.push(c);
            continue;
        }
        replaced.push_str(if run.len() == length { name } else { &run });
        run.clear();
        replaced.extend(c);
    }
    replaced
}
