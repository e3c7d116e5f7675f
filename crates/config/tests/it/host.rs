//! What only this machine knows.

use posthouse_config::{Loaded, parse};

#[test]
fn the_defaults_are_addresses_of_every_machine() {
    assert!(Loaded::default().check_host().is_ok());
}

#[test]
fn an_address_of_another_machine_is_a_problem_with_its_place() {
    // TEST-NET-3 (RFC 5737) is on no machine, unless somebody went out of the way.
    let text = "[web]\nlisten = [\"0.0.0.0:8080\", \"203.0.113.77:8081\"]\npublic_url = \"http://a\"\n[relay]\nlisten = [\"203.0.113.77:3478\"]\n";
    let mut loaded = parse(text, "posthouse.toml").unwrap_or_else(|problems| panic!("{problems}"));
    let problems = loaded.check_host().unwrap_err();
    let heads: Vec<String> =
        problems.iter().map(|problem| problem.to_string().lines().next().unwrap().to_owned()).collect();
    assert_eq!(heads.len(), 2, "{problems}");
    assert!(
        heads[0]
            .starts_with("posthouse.toml:2:27: web.listen[1]: expected an address of this machine, found 203.0.113.77")
    );
    assert!(heads[1].starts_with("posthouse.toml:5:11: relay.listen[0]: "));
}

#[test]
fn an_alternate_address_is_one_of_this_machine_too() {
    let text = "[relay]\nlisten = [\"127.0.0.1:3478\"]\nalternate_addresses = [\"203.0.113.77\"]\n";
    let mut loaded = parse(text, "posthouse.toml").unwrap_or_else(|problems| panic!("{problems}"));
    let problems = loaded.check_host().unwrap_err().to_string();
    assert!(problems.contains("3:24: relay.alternate_addresses[0]: expected an address of this machine"), "{problems}");
}
