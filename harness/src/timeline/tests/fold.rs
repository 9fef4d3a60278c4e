//! Files into timelines.

use proptest::prelude::*;

use crate::event::{Ending, What};
use crate::timeline::sketch::Sketch;
use crate::timeline::{Damaged, fold};

fn some() -> Sketch {
    Sketch::app()
        .begin()
        .accepted("web", 0, 2, "a")
        .news(3, "a")
        .rotate(10, "b")
        .refused("web", 20, 22, "a")
        .gap(25, 30)
        .news(31, "b")
        .with(32, What::Count { counter: "GeneratorState".into(), value: 2 })
        .finish(40)
}

fn damage(file: &[u8]) -> String {
    fold(file).unwrap_err().to_string()
}

#[test]
fn the_file_says_what_the_events_said() {
    let mut sketch = some();
    sketch.push(50, What::End(Ending::Finished)).events.last_mut().unwrap().scenario = None;
    assert_eq!(fold(&*sketch.file()).unwrap(), sketch.timeline());
}

#[test]
fn the_last_line_may_be_cut_anywhere() {
    let sketch = some();
    let file = sketch.file();
    let start = file[..file.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let mut shorter = sketch.clone();
    shorter.events.pop();
    for end in start..file.len() {
        let timeline = fold(&file[..end]).unwrap();
        let whole = end + 1 == file.len();
        assert_eq!(timeline.torn, end > start && !whole, "cut at {end}");
        let expected = if whole { sketch.timeline() } else { shorter.timeline() };
        assert_eq!(timeline.stories, expected.stories);
    }
    let filled = [&file[..start], b"\0\0\0\0"].concat();
    assert!(fold(&*filled).unwrap().torn, "a disk that lost its power");
}

#[test]
fn what_cannot_be_judged_says_why_and_what_to_do() {
    assert!(matches!(fold(&b""[..]), Err(Damaged::Empty)));
    let file = String::from_utf8(some().file()).unwrap();
    assert!(
        damage(file.replacen("\"format\":1", "\"format\":7", 1).as_bytes())
            .starts_with("line 1 says format 7")
    );
    assert!(damage(b"hello\n").starts_with("line 1 is not the header"));
    assert!(damage(&file.as_bytes()[..20]).starts_with("line 1 is not the header"));

    let mut lines: Vec<&str> = file.lines().collect();
    let garbage = |lines: &[&str]| damage((lines.join("\n") + "\n").as_bytes());
    let third = std::mem::replace(&mut lines[2], "{\"seq\":2,");
    assert!(garbage(&lines).starts_with("line 3 is not an event"));
    lines[2] = "{\"seq\":2,\"at\":5,\"what\":{\"sung\":1}}";
    assert!(garbage(&lines).contains("unknown variant `sung`"));
    lines[2] = third;
    lines.remove(4);
    assert!(garbage(&lines).starts_with("line 5 is not an event (it says seq 5, its place is 4)"));
    assert!(garbage(&lines).contains("take the original, or play it again"));
    let last = lines.len() - 1;
    assert!(fold((lines[..4].join("\n") + "\n" + lines[last]).as_bytes()).unwrap().torn);
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_breaks(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..400usize) {
        let mut file = some().file();
        file.truncate(cut);
        file.extend(&bytes);
        let _ = fold(&*file);
    }
}
