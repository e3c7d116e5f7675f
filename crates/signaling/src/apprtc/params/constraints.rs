//! Constraints that a link asks for: `audio`, `video`, `hd`, `minre`, `maxre`, `dtls`, `dscp`, `ipv6`,
//! `firefox_fake_device`. They only travel through us to the page.

use serde_json::{Map, Value, json};

use crate::query::Query;

/// `media_constraints`, and what the user should know about them.
pub(super) struct Media {
    pub(super) constraints: String,
    pub(super) warnings: Vec<String>,
}

const HD: [(&str, &str); 2] = [("minWidth", "1280"), ("minHeight", "720")];

pub(super) fn media(query: &Query, user_agent: &str) -> Media {
    let mut warnings = Vec::new();
    let audio = track(query.get("audio"));
    let video = video(query, user_agent, &mut warnings);
    if query.get("minre").is_some() || query.get("maxre").is_some() {
        warnings.push("'minre' and 'maxre' have no effect any more; 'video' takes minHeight and so on".to_owned());
    }
    let mut constraints = json!({"audio": audio, "video": video});
    if query.get("firefox_fake_device").is_some_and(|value| !value.is_empty()) {
        constraints["fake"] = true.into();
    }
    Media { constraints: constraints.to_string(), warnings }
}

/// `hd` asks for 1280x720. Chrome on a desktop is asked for it too, if it can.
fn video(query: &Query, user_agent: &str, warnings: &mut Vec<String>) -> Value {
    let given = query.get("video").filter(|video| !video.is_empty());
    let size = || HD.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
    match query.get("hd").map(str::to_ascii_lowercase).as_deref() {
        Some("true") => {
            if given.is_some() {
                warnings.push("'hd=true' replaces what 'video' asks for".to_owned());
            }
            json!({"mandatory": size().collect::<Map<_, _>>(), "optional": []})
        }
        None | Some("") if given.is_none() && user_agent.contains("Chrome") && !user_agent.contains("Android") => {
            let optional: Vec<Value> = size().map(|pair| Value::Object(Map::from_iter([pair]))).collect();
            json!({"mandatory": {}, "optional": optional})
        }
        _ => track(given),
    }
}

/// Nothing or `true`: any; `false`: none; else a list of `[mandatory:|optional:]key=value`, mandatory unless the key
/// begins with `goog`. What is malformed is skipped.
fn track(given: Option<&str>) -> Value {
    let list = match given.unwrap_or_default() {
        "" => return true.into(),
        text if text.eq_ignore_ascii_case("true") => return true.into(),
        text if text.eq_ignore_ascii_case("false") => return false.into(),
        list => list,
    };
    let (mut mandatory, mut optional) = (Map::new(), Vec::new());
    for item in list.split(',') {
        let (section, pair) = item.split_once(':').map_or((None, item), |(section, pair)| (Some(section), pair));
        let Some((key, value)) = pair.split_once('=').filter(|(_, value)| !value.contains('=')) else { continue };
        let must = section.map_or(!key.starts_with("goog"), |section| section == "mandatory");
        let pair = (key.to_owned(), Value::from(value));
        if must {
            mandatory.extend([pair]);
        } else {
            optional.push(Value::Object(Map::from_iter([pair])));
        }
    }
    json!({"mandatory": mandatory, "optional": optional})
}

pub(super) fn peer_connection(query: &Query, loopback: bool) -> String {
    let asked = [("dtls", "DtlsSrtpKeyAgreement"), ("dscp", "googDscp"), ("ipv6", "googIPv6")];
    let mut optional = Vec::new();
    for (key, constraint) in asked {
        let value = match query.get(key).map(str::to_ascii_lowercase).as_deref() {
            Some("true") => true,
            Some("false") => false,
            _ => continue,
        };
        optional.push(json!({constraint: value}));
    }
    if loopback {
        optional.push(json!({"DtlsSrtpKeyAgreement": false}));
    }
    json!({"optional": optional}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media_of(query: &str, agent: &str) -> String {
        media(&Query::parse(query), agent).constraints
    }

    #[test]
    fn audio_and_video_are_read_as_appengine_read_them() {
        assert_eq!(media_of("", ""), r#"{"audio":true,"video":true}"#);
        assert_eq!(media_of("audio=False&video=TRUE", ""), r#"{"audio":false,"video":true}"#);
        let asked = "video=minWidth=1280,optional:maxWidth=1,googX=true,bad,a=b=c,mandatory:googY=1&audio=true";
        let video = r#"{"mandatory":{"googY":"1","minWidth":"1280"},"optional":[{"maxWidth":"1"},{"googX":"true"}]}"#;
        assert_eq!(media_of(asked, "Chrome"), format!(r#"{{"audio":true,"video":{video}}}"#));
    }

    #[test]
    fn hd_is_asked_for_by_link_and_by_desktop_chrome() {
        let (must, may) = (r#""mandatory":{"minHeight":"720","minWidth":"1280"}"#, r#"{"minWidth":"1280"}"#);
        assert!(media_of("hd=TRUE", "").contains(must));
        assert!(media_of("", "Mozilla Chrome/140").contains(may));
        for (query, agent) in [("", "Chrome Android"), ("hd=false", "Chrome"), ("", "Firefox")] {
            assert_eq!(media_of(query, agent), r#"{"audio":true,"video":true}"#, "{query} {agent}");
        }
        assert_eq!(media(&Query::parse("hd=true&video=false"), "").warnings.len(), 1);
    }

    #[test]
    fn peer_connection_constraints_are_true_false_or_absent() {
        let query = Query::parse("dtls=false&dscp=True&ipv6=maybe");
        let expected = r#"{"optional":[{"DtlsSrtpKeyAgreement":false},{"googDscp":true}]}"#;
        assert_eq!(peer_connection(&query, false), expected);
        assert_eq!(peer_connection(&Query::default(), true), r#"{"optional":[{"DtlsSrtpKeyAgreement":false}]}"#);
    }
}
