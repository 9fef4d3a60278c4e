//! A small, strict reader of XML: elements, attributes, text, five entities. Whatever else stands in a
//! report makes it panic, so that reading one is a check of its form.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).unwrap_or_else(|| panic!("{} has no {attribute}", self.name))
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(crate) fn only<'a>(&'a self, name: &'a str) -> &'a Element {
        let mut all = self.all(name);
        let first = all.next().unwrap_or_else(|| panic!("{} has no {name}", self.name));
        assert!(all.next().is_none(), "{} has more than one {name}", self.name);
        first
    }
}

pub(crate) fn read(xml: &str) -> Element {
    let body =
        xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("begins with a declaration");
    let legal =
        |c: char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(body.chars().all(legal), "a character that XML 1.0 does not have");
    let mut rest = body;
    let root = element(&mut rest);
    assert_eq!(rest, "\n", "nothing but a line end follows the root");
    root
}

fn element(rest: &mut &str) -> Element {
    let name = until(take(rest, "<"), |c| !c.is_ascii_alphanumeric() && c != '-').to_owned();
    assert!(!name.is_empty(), "an element has a name");
    let mut element = Element { name, ..Element::default() };
    while rest.starts_with(' ') {
        let key = until(take(rest, " "), |c| c == '=').to_owned();
        let value = unescaped(until(take(rest, "=\""), |c| c == '"' || c == '<'));
        take(rest, "\"");
        assert!(element.attributes.insert(key, value).is_none(), "an attribute stands once");
    }
    if rest.starts_with('/') {
        take(rest, "/>");
        return element;
    }
    take(rest, ">");
    loop {
        let text = until(rest, |c| c == '<');
        assert!(!text.contains("]]>"), "]]> must not stand in text");
        element.text.push_str(&unescaped(text));
        if rest.starts_with("</") {
            take(take(rest, "</"), &element.name);
            take(rest, ">");
            return element;
        }
        element.children.push(self::element(rest));
    }
}

fn take<'a, 'b>(rest: &'a mut &'b str, expected: &str) -> &'a mut &'b str {
    *rest = rest.strip_prefix(expected).unwrap_or_else(|| {
        panic!("{expected:?} expected at {:?}", rest.chars().take(40).collect::<String>())
    });
    rest
}

fn until<'b>(rest: &mut &'b str, end: impl Fn(char) -> bool) -> &'b str {
    let (head, tail) = rest.split_at(rest.find(end).unwrap_or(rest.len()));
    *rest = tail;
    head
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, tail) = part.split_once(';').expect("an ampersand begins an entity");
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => panic!("unknown entity {other:?}"),
        });
        plain.push_str(tail);
    }
    plain
}
