//! What is written into a text comes out of it again, and what is said about a text never shows it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use serde_json::json;

use super::{BadExtract, Extract, WORDS};
use crate::secret::Secret;

fn take(expression: &str, text: &str) -> Result<String, String> {
    let extract = Extract::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let taken = extract.extract(&Secret::new(text));
    taken.map(|value| value.expose().to_owned()).map_err(|error| error.to_string())
}

fn found(expression: &str, text: &str) -> String {
    take(expression, text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn parts_of_urls() {
    let url = "postgres://fleet:p%40ss%2Fw%3Ard@db.default.svc:5432/fleet%20app?sslmode=require&x=a%26b";
    for (part, value) in [
        ("username", "fleet"),
        ("password", "p@ss/w:rd"),
        ("host", "db.default.svc"),
        ("port", "5432"),
        ("path", "fleet app"),
        ("query.sslmode", "require"),
        ("query.x", "a&b"),
    ] {
        assert_eq!(found(&format!("url.{part}"), url), value);
        assert_eq!(found(&format!("url.{part}"), &format!("jdbc:{url}\n")), value);
    }
    assert_eq!(found("url.password", "redis://:secret@cache:6379/0"), "secret");
}

#[test]
fn parts_of_data_sources() {
    let go = "fleet:p@ss/w:rd@tcp(db.default.svc:3306)/app?parseTime=true";
    let pq = r"host=db.default.svc port = 5432 user=fleet password='p@ss w\'rd' dbname=app";
    for (part, of_go, of_pq) in [
        ("user", "fleet", "fleet"),
        ("password", "p@ss/w:rd", "p@ss w'rd"),
        ("host", "db.default.svc", "db.default.svc"),
        ("port", "3306", "5432"),
        ("dbname", "app", "app"),
    ] {
        assert_eq!(found(&format!("dsn.{part}"), go), of_go);
        assert_eq!(found(&format!("dsn.{part}"), pq), of_pq);
    }
    assert_eq!(found("dsn.host", "fleet:x@unix(/run/mysqld.sock)/app"), "/run/mysqld.sock");
    assert_eq!(found("dsn.user", "fleet@/app"), "fleet");
}

#[test]
fn parts_of_json_and_of_what_is_encoded_in_it() {
    let both = json!({"auths": {"registry.example": {"username": "bot", "password": "pw", "auth": "x"}}});
    let auth = json!({"auths": {"registry.example": {"auth": STANDARD.encode("bot:p:w")}}});
    assert_eq!(found("json:/auths/*/password", &both.to_string()), "pw");
    assert_eq!(found("dockerconfigjson.password", &both.to_string()), "pw");
    assert_eq!(found("dockerconfigjson.password", &auth.to_string()), "p:w");
    assert_eq!(found("dockerconfigjson.username", &auth.to_string()), "bot");
    let encoded = STANDARD.encode(both.to_string());
    assert_eq!(found("base64 | json:/auths/*/username", &encoded), "bot");
    assert_eq!(found(" base64|json:/auths/registry.example/password ", &encoded), "pw");
    assert_eq!(found("json:/0/a~1b", r#"[{"a/b": 7}]"#), "7");
    assert_eq!(found("json:/*/v", r#"[{"v": "x"}, {"v": "x"}, {}]"#), "x");
}

#[test]
fn lines_of_files() {
    let file = "# login\nexport USER='fleet'\nPASSWORD=old\nPASSWORD=\"a \\\"b\\\"\"\r\nBARE= x=y \n";
    assert_eq!(found("env:USER", file), "fleet");
    assert_eq!(found("env:PASSWORD", file), "a \"b\"");
    assert_eq!(found("env:BARE", file), "x=y");
    assert_eq!(found("env:URL | url.password", "URL=mysql://u:hunter@h/d"), "hunter");
}

#[test]
fn what_finds_nothing_says_what_it_met() {
    for (expression, text, why) in [
        ("url.password", r#"{"a": 1}"#, "`url.password` finds nothing: this is no URL but JSON"),
        ("url.password", "", "`url.password` finds nothing: this is no URL but an empty text"),
        ("url.password", "hunter2", "`url.password` finds nothing: this is no URL but a single word"),
        ("url.password", "mysql://u@h/d", "`url.password` finds nothing: the URL has no password"),
        ("url.password", "mysql://u:@h/d", "`url.password` finds nothing: the URL has no password"),
        ("url.port", "mysql://u@h/d", "`url.port` finds nothing: the URL has no port"),
        ("url.query.q", "mysql://u@h/d", "`url.query.q` finds nothing: the URL's query has no `q`"),
        ("dsn.password", "mysql://u:p@h/d", "`dsn.password` finds nothing: this is no data source but a URL"),
        ("dsn.password", "user=a", "`dsn.password` finds nothing: the data source has no password"),
        ("dsn.password", "u@tcp(h)/d", "`dsn.password` finds nothing: the data source has no password"),
        ("json:/a", "a=1", "`json:/a` finds nothing: this is no JSON but KEY=VALUE"),
        ("json:/a", r#"{"b": 1}"#, "`json:/a` finds nothing: the JSON has nothing there"),
        ("json:/a", r#"{"a": {}}"#, "`json:/a` finds nothing: an object stands there, not a value"),
        ("json:/*", r#"["x", "y"]"#, "`json:/*` finds nothing: 2 different values stand there"),
        ("base64", "a b!", "`base64` finds nothing: this is not base64 but a text of several words"),
        ("base64 | json:/a", "e30=", "`json:/a` finds nothing: the JSON has nothing there"),
        ("env:A", "B=1", "`env:A` finds nothing: no line sets `A`"),
        ("env:A", "{}", "`env:A` finds nothing: no line sets `A`; this is JSON"),
        ("env:A", "A=''", "`env:A` finds nothing: its value is empty"),
        (
            "dockerconfigjson.password",
            r#"{"auths": {"r": {}}}"#,
            "`dockerconfigjson.password` finds nothing: no registry in it has a password",
        ),
    ] {
        assert_eq!(take(expression, text), Err(why.to_owned()), "{expression} in {text}");
    }
}

#[test]
fn wrong_expressions_say_what_is_wrong() {
    let bad = |text: &str| Extract::parse(text).unwrap_err();
    assert_eq!(bad("url.pasword"), BadExtract::Unknown("url.pasword".into()));
    assert_eq!(bad("json:auths"), BadExtract::Pointer("auths".into()));
    assert_eq!(bad("env:"), BadExtract::Nameless("env:".into()));
    assert_eq!(bad("url.query."), BadExtract::Nameless("url.query.".into()));
    for text in ["", " ", "base64 |", "| base64"] {
        assert_eq!(bad(text), BadExtract::Empty, "{text}");
    }
    for word in WORDS {
        assert_eq!(Extract::parse(word).map(|extract| extract.to_string()), Ok(word.to_owned()));
    }
}

proptest! {
    #[test]
    fn a_password_comes_out_as_it_went_in(password in ".{1,40}", user in "[a-z]{1,8}") {
        let percent = utf8_percent_encode(&password, NON_ALPHANUMERIC);
        prop_assert_eq!(&found("url.password", &format!("mysql://{user}:{percent}@db:3306/app")), &password);
        let quoted = password.replace('\\', "\\\\").replace('\'', "\\'");
        let pq = format!("user={user} password='{quoted}' host=db");
        prop_assert_eq!(&found("dsn.password", &pq), &password);
        let both = json!({ "a": [{ "b/c": password }] }).to_string();
        prop_assert_eq!(&found("json:/a/0/b~1c", &both), &password);
        for encoded in [STANDARD.encode(&both), URL_SAFE_NO_PAD.encode(&both)] {
            prop_assert_eq!(&found("base64 | json:/a/*/b~1c", &encoded), &password);
        }
        let auth = json!({"auths": {"r": {"auth": STANDARD.encode(format!("{user}:{password}"))}}});
        prop_assert_eq!(&found("dockerconfigjson.password", &auth.to_string()), &password);
    }

    /// Go's driver takes the password as it is written; so does whoever reads the DSN.
    #[test]
    fn a_password_needs_no_escape_in_gos_way(password in "[!-~&&[^ ]]{1,40}") {
        let go = format!("fleet:{password}@tcp(db:3306)/app");
        prop_assert_eq!(found("dsn.password", &go), password);
    }

    #[test]
    fn no_text_is_shown_and_none_stops_it(text in any::<String>(), word in 0..WORDS.len()) {
        let text = format!("Zx9{text}Zx9");
        if let Err(why) = take(WORDS[word], &text) {
            prop_assert!(!why.contains("Zx9"), "{}", why);
        }
    }

    #[test]
    fn any_expression_is_read_or_refused_and_is_written_as_it_was(text in "[a-z0-9:/.|*~ ]{0,30}") {
        if let Ok(extract) = Extract::parse(&text) {
            prop_assert_eq!(Extract::parse(&extract.to_string()), Ok(extract));
        }
    }
}
