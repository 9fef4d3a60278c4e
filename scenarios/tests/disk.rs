//! Disks that are full or read-only, and a cache that is damaged: told with the place and what to do.

mod support;

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use support::{Cache, Done, Run, Scratch, handover, judge, names, quick, say};

/// How to get a mount of one's own, which ends with its process; nothing where that is not allowed.
fn unshare() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--map-root-user", "--mount"]];
    let works = |way: &&&[&str]| {
        let script = ["sh", "-c", "mount -t tmpfs tmpfs /mnt"];
        Command::new("unshare").args(**way).args(script).output().is_ok_and(|done| done.status.success())
    };
    let found = ways.iter().find(works).copied();
    if found.is_none() {
        say("skipped: this user may not mount, so no disk can be made full or read-only");
    }
    found
}

/// The command after `mount`, a piece of shell with `$DISK` as the place that it changes. What is below it
/// afterwards is copied to `seen`.
fn on_disk(way: &[&str], mount: &str, disk: &Path, seen: &Path, command: &Command) -> Command {
    let script = format!(
        "{mount} || exit 99\n\"$@\"\ncode=$?\nmkdir -p \"$SEEN\" && cp -a \"$DISK/.\" \"$SEEN\" || exit 98\nexit $code"
    );
    let mut words: Vec<OsString> = ["sh", "-c", &script, "sh"].map(OsString::from).into();
    words.push(command.get_program().to_owned());
    words.extend(command.get_args().map(OsString::from));
    let mut mounted = Command::new("unshare");
    mounted.args(way).args(words).env("DISK", disk).env("SEEN", seen);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => mounted.env(name, value),
            None => mounted.env_remove(name),
        };
    }
    mounted
}

fn run_on(
    scratch: &Scratch,
    cache: &Cache,
    mount: &str,
    disk: &Path,
    words: &[&str],
    out: &Path,
) -> Option<Done> {
    let mut command = handover(cache, ["run"]);
    command.args(words).arg("--out").arg(out);
    let command = on_disk(unshare()?, mount, disk, &scratch.at("seen"), &command);
    Some(Run::of(command, cache, out).end())
}

#[test]
fn a_cache_that_is_read_only_is_told() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let mount = "mount --bind \"$DISK\" \"$DISK\" && mount -o remount,bind,ro \"$DISK\"";
    let out = scratch.at("out");
    let Some(done) = run_on(&scratch, &cache, mount, cache.root(), &["kv/refresh"], &out) else { return };
    done.exits(5).junit_has(&["Aborted"]).says("read-only");
    done.says_once(&format!("cannot make `{}`", cache.root().join("runs").display()));
    cache.assert_empty();
}

#[test]
fn a_cache_that_is_full_is_told() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let runs = cache.root().join("runs");
    fs::create_dir(&runs).expect("a folder");
    let mount = "mount -t tmpfs -o size=4m,mode=700 tmpfs \"$DISK\"";
    let out = scratch.at("out");
    let Some(done) = run_on(&scratch, &cache, mount, &runs, &["kv/refresh"], &out) else { return };
    done.exits(5).junit_has(&["EnvironmentError"]);
    done.says_once("is the disk full, or the cache read-only? set HANDOVER_CACHE to another directory");
    done.says("No space left on device").says(&runs.display().to_string());
    assert_eq!(names(&scratch.at("seen")), [".lock"], "its directory was removed all the same");
    cache.assert_empty();
}

#[test]
fn an_output_directory_that_cannot_be_made_is_told() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let file = scratch.write("file", "");
    let done = Run::start(&cache, &file.join("out"), ["kv/refresh"]).end();
    done.exits(5).says_once("cannot make the output directory").says_once("name another with --out");
    cache.assert_empty();
}

/// The disk of the evidence fills up while a rotation is watched: the run ends in order, and what was
/// written until then can be judged elsewhere.
#[test]
fn an_output_disk_that_fills_up_ends_the_run() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let disk = scratch.at("disk");
    fs::create_dir(&disk).expect("a folder");
    // Half a second of the probes of one scenario.
    let mount = "mount -t tmpfs -o size=32k,mode=700 tmpfs \"$DISK\"";
    let (out, words) = (disk.join("out"), ["mysql/static-role-forced"]);
    let Some(done) = run_on(&scratch, &cache, mount, &disk, &words, &out) else { return };
    done.exits(5).leaves_nothing(&cache);
    done.says("step 1/3").says("stopping the servers");
    done.says_once(&format!("cannot write {}", out.join("verdict.json").display()));
    done.says_once("No space left on device").says_once("free some space there");
    let seen = scratch.at("seen/out");
    done.moved_to(&seen).junit_has(&["Aborted"]);
    let judged = judge(&cache, &seen);
    judged.exits(3).says("the run was killed");
    assert_eq!(judged.scenario("mysql/static-role-forced")["verdict"], "inconclusive");
}

#[test]
fn a_cache_entry_that_is_damaged_is_never_run() {
    let scratch = Scratch::new();
    let (cache, entry) = Cache::with_a_copy_of(&scratch, "valkey");
    let program = entry.join("files/valkey-server");
    let file = OpenOptions::new().read(true).write(true).open(&program).expect("the program");
    let mut byte = [0];
    file.read_exact_at(&mut byte, 100_000).expect("a byte");
    file.write_all_at(&[!byte[0]], 100_000).expect("a byte");
    drop(file);

    let verified = quick(handover(&cache, ["components", "verify"]));
    verified.exits(5).says_once("damaged:").says("another checksum");
    // Where it cannot be obtained anew, for lack of every tool:
    let mut command = handover(&cache, ["run", "valkey/", "--out"]);
    let out = scratch.at("out");
    command.arg(&out).env("PATH", "/nowhere");
    let done = Run::of(command, &cache, &out).end();
    done.exits(5).junit_has(&["EnvironmentError"]).leaves_nothing(&cache);
    done.says(&format!(
        "the cache entry {} is damaged (valkey-server: has another checksum)",
        entry.display()
    ));
    done.says_once("run `handover components resolve valkey` where its source can be reached");
    assert!(!done.stderr.contains("starting the servers"), "{}", done.stderr);
    // Whoever does not need it is not kept from playing.
    quick(handover(&cache, ["lint"])).exits(0);
}
