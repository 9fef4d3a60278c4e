//! Servers of images as containers of the embedded plane: the images are made of our own servers, the Docker daemon is
//! one of our own, in a cache of the test's own. Needs root.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use handover_fixtures::cause::chain;
use handover_fixtures::components::images::Needs;
use handover_fixtures::components::progress::on_stderr;
use handover_fixtures::components::{Component, Environment, Overrides, Program, Request, Resolved, resolve};
use handover_kind::docker::{Docker, own};
use handover_kind::image::archive::{self, Image, PATH};
use handover_kind::image::layer::Layer;
use handover_kind::servers::contents::Contents;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;
use support::house::House;
use support::{Cache, Run, Scratch, eventually, handover, quick, say};

/// How many runs are killed while their servers are started.
const KILLS: u64 = 2;

/// Where a program of an image that was made for another machine looks for its loader.
const LOADER: &str = "lib64/ld-linux-x86-64.so.2";

/// A cache with a daemon; none where this user cannot start one.
fn house(scratch: &Scratch) -> Option<House> {
    if !rustix::process::geteuid().is_root() {
        say("skipped: only root can start a Docker daemon of our own");
        return None;
    }
    Some(House::new(Cache::of_stand_ins(scratch)))
}

/// Our own servers, out of the cache that people have.
fn servers() -> Vec<Resolved> {
    let wanted = [Component::Openbao, Component::Mysql, Component::Valkey, Component::Postgres];
    let request = Request::new(Environment::of_process(), Overrides::default()).expect("a cache");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let set = runtime.block_on(resolve(request.only(wanted), Arc::from(on_stderr())));
    let set = set.unwrap_or_else(|error| panic!("{}", chain(&error)));
    wanted.map(|component| set.require(component).expect("it was asked for").clone()).into()
}

/// An image of a server as others make them: its files where its packager puts them, and what it starts by its name
/// alone, by a script that is not there.
fn image(server: &Resolved, folder: &Path) -> PathBuf {
    image_of(server, "1", &server.version, folder)
}

/// The same with this tag, which says that it is of this version.
fn image_of(server: &Resolved, tag: &str, version: &str, folder: &Path) -> PathBuf {
    let program = server.program().expect("a server is a program");
    let name = program.path().file_name().and_then(|name| name.to_str()).expect("it has a name");
    let image = match program.argv0() {
        [_] => {
            let contents = Contents::of(program).unwrap_or_else(|error| panic!("{}", chain(&error)));
            let image = contents.image("made.test/server").expect("its files are there");
            found_in(image, program.path().parent().expect("it lies in a folder"))
        }
        _ => of_package(program),
    };
    let mut image = image.starts(["docker-entrypoint.sh", name]);
    image.name = format!("made.test/{}:{tag}", server.component);
    image.labels = vec![("org.opencontainers.image.version".to_owned(), version.to_owned())];
    let file = if tag == "1" { server.component.to_string() } else { format!("{}-{tag}", server.component) };
    let path = folder.join(format!("{file}.tar"));
    archive::write(&path, &[image]).expect("an archive");
    path
}

/// What was unpacked of packages, as if it were installed.
fn of_package(program: &Program) -> Image {
    let root = program.path().ancestors().find(|path| path.ends_with("files")).expect("an entry of a cache");
    let inside = |path: &Path| Path::new("/").join(path.strip_prefix(root).expect("it lies in there"));
    let [loader, _, libraries, _] = program.argv0() else { panic!("it runs on a loader of its own") };
    let layer = Layer::default()
        .tree(root, &|_| false)
        .expect("its files")
        .link(LOADER, inside(Path::new(loader)))
        .file("bin/sh", &fs::canonicalize("/bin/sh").expect("a shell"), 0o755)
        .file("usr/share/zoneinfo/UTC", &fs::canonicalize("/usr/share/zoneinfo/UTC").expect("UTC"), 0o644)
        .folder("tmp", 0o1777);
    let beside = program.path().parent().expect("it lies in a folder");
    let libraries: Vec<PathBuf> = std::env::split_paths(libraries).collect();
    let layer = with_libraries(layer, &beside.join("initdb"), &libraries, &inside(&libraries[0]));
    let mut image = found_in(Image::new("made.test/server", layer), &inside(beside));
    let libraries: Vec<String> = libraries.iter().map(|path| inside(path).display().to_string()).collect();
    image.environment.push(format!("LD_LIBRARY_PATH={}", libraries.join(":")));
    image
}

/// The same with what a program that lies beside the server finds on this machine and not among its own libraries.
fn with_libraries(layer: Layer, program: &Path, own: &[PathBuf], place: &Path) -> Layer {
    if !program.is_file() {
        return layer;
    }
    let needs = Needs::of(program).expect("it is a program");
    needs.files.iter().fold(layer, |layer, (at, real)| {
        let name = at.file_name().expect("a file has a name");
        let place = place.join(name).display().to_string();
        match at != program && !own.iter().any(|folder| folder.join(name).exists()) {
            true => layer.file(place.trim_start_matches('/'), real, 0o644),
            false => layer,
        }
    })
}

/// The same with a folder on its path.
fn found_in(mut image: Image, folder: &Path) -> Image {
    for variable in image.environment.iter_mut().filter(|variable| **variable == PATH) {
        *variable = format!("{PATH}:{}", folder.display());
    }
    image
}

fn begin(house: &House, out: &Path, images: &[&Path], words: &[&str]) -> Run {
    let mut command = house.handover(["run", "--out"]);
    command.arg(out).args(words);
    for image in images {
        let name = image.file_stem().and_then(|name| name.to_str()).expect("it is called as its server");
        command.arg("--component").arg(format!("{name}=image:{}", image.display()));
    }
    Run::of(command, &house.cache, out)
}

/// What a daemon says.
fn ask(docker: &Docker, words: &[&str]) -> Vec<String> {
    let mut command = std::process::Command::new(&docker.program);
    command.args(words).env_clear().envs(docker.environment());
    let said = command.output().expect("the client starts");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8_lossy(&said.stdout).lines().map(str::to_owned).collect()
}

/// Names of containers at a daemon.
fn containers(docker: &Docker) -> Vec<String> {
    ask(docker, &["ps", "--all", "--format", "{{.Names}}"])
}

/// Kills who stands before MySQL, but not MySQL.
fn kill_before(house: &House) {
    let [dir] = house.cache.runs().try_into().expect("one run");
    let ledger = fs::read_to_string(dir.join("ledger.jsonl")).expect("its ledger");
    let lines = ledger.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let line = lines
        .rev()
        .find(|line| line["name"] == "mysql" && line["behind"].is_null())
        .expect("mysql was started");
    let pid = line["pid"].as_i64().and_then(|pid| rustix::process::Pid::from_raw(pid.try_into().ok()?));
    rustix::process::kill_process(pid.expect("a pid"), Signal::KILL).expect("it runs");
}

#[test]
fn servers_of_images_run_in_containers_and_nothing_of_them_is_left() {
    let scratch = Scratch::new();
    let Some(house) = house(&scratch) else { return };
    let images: Vec<PathBuf> = servers().iter().map(|server| image(server, scratch.path())).collect();
    let [bao, mysql, valkey, postgres] = &images[..] else { panic!("four servers") };
    let docker = house.start();
    let idle = house.census_at_docker();

    // All four, and orders over two of them: stopped, killed, started again.
    let out = scratch.at("all");
    let words = [
        "mysql/static-role-forced",
        "servers/restarts",
        "valkey/static-role-forced",
        "postgres/dynamic-lease",
        // What a machine of two cores misses beside three others would be inconclusive, as it should be.
        "--jobs=1",
    ];
    let run = begin(&house, &out, &[bao, mysql, valkey, postgres], &words);
    run.until_it_says("measuring this host");
    let there = containers(&docker);
    let done = run.end();
    done.exits(0).leaves_nothing(&house.cache);
    assert_eq!(there.len(), 4, "{there:?}");
    for server in ["openbao", "mysql", "valkey", "postgres"] {
        assert!(there.iter().any(|name| name.contains(&format!("-{server}-"))), "{there:?}");
        done.says(&format!("{server} runs in a container at unix://"));
    }
    assert_eq!(idle.differences(&house.census_at_docker()), [""; 0]);

    // What is reported of them is what is reported of any image, and what they used is theirs.
    let verdict = done.verdict();
    let recorded = support::array(&verdict["on"]["components"]).iter().find(|one| one["name"] == "mysql");
    let recorded = recorded.unwrap_or_else(|| panic!("{verdict:#}"));
    assert_eq!(recorded["source"], "image", "{recorded:#}");
    assert!(
        recorded["image"].as_str().is_some_and(|image| image.contains("mysql.tar@sha256:")),
        "{recorded:#}"
    );
    let events = done.read("events.jsonl");
    let rss = events.lines().skip(1).filter_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).expect("an event");
        let usage = &event["what"]["usage"];
        (usage["name"] == "mysql").then(|| usage["rss"].as_u64().unwrap_or_default())
    });
    assert!(rss.min().is_some_and(|rss| rss > 60 << 20), "mysqld has more than that");

    // kill -9 of the harness: they go with it.
    let run = begin(&house, &scratch.at("killed"), &[mysql], &["mysql/static-role-forced"]);
    run.until_it_says("step 2/3");
    run.signal(Signal::KILL);
    let killed = run.end();
    eventually("its servers are gone", || killed.processes().is_empty().then_some(()));
    eventually("its containers are gone", || containers(&docker).is_empty().then_some(()));
    house.gc().exits(0).says_once("swept run");
    killed.leaves_nothing(&house.cache);
    assert_eq!(idle.differences(&house.census_at_docker()), [""; 0]);

    // With who stands before them, too: then it is for `gc` to find the container.
    // Here it is the user's own daemon.
    let out = scratch.at("both");
    let mut command = house.handover_at(&docker, ["run", "mysql/static-role-forced", "--out"]);
    command.arg(&out).arg("--component").arg(format!("mysql=image:{}", mysql.display()));
    let run = Run::of(command, &house.cache, &out);
    run.until_it_says("step 2/3");
    run.signal(Signal::STOP);
    kill_before(&house);
    run.signal(Signal::KILL);
    let killed = run.end();
    assert_eq!(containers(&docker).len(), 1);
    let gc = quick(house.handover_at(&docker, ["gc"]));
    gc.exits(0).says_once("swept run").says_once("removed container");
    killed.leaves_nothing(&house.cache);
    assert_eq!(idle.differences(&house.census_at_docker()), [""; 0]);

    // While they are started and their data is made: whatever was under way is gone after `gc`.
    let kills = std::env::var("HANDOVER_KILLS").map_or(KILLS, |kills| kills.parse().expect("a number"));
    let mut draw = SmallRng::seed_from_u64(kills);
    for kill in 0..kills {
        let later = Duration::from_millis(draw.random_range(0..4_000));
        let run =
            begin(&house, &scratch.at(format!("out-{kill}")), &[bao, mysql], &["mysql/static-role-forced"]);
        run.until_it_says("starting the servers");
        // The moment itself: nothing is waited for.
        thread::sleep(later);
        run.signal(Signal::KILL);
        let killed = run.end();
        let gc = house.gc();
        say(&format!("kill {kill}, {later:?} after the start: {}", gc.all()));
        gc.exits(0);
        eventually("its processes are gone", || killed.processes().is_empty().then_some(()));
        killed.leaves_nothing(&house.cache);
        assert_eq!(idle.differences(&house.census_at_docker()), [""; 0], "kill {kill}, {later:?}");
    }

    // Who stands before it is killed: the server is as good as dead, and taken away.
    let run = begin(&house, &scratch.at("alone"), &[mysql], &["mysql/static-role-forced"]);
    run.until_it_says("step 2/3");
    kill_before(&house);
    let done = run.end();
    done.exits(5).says_once("the environment broke: mysql ended by itself").leaves_nothing(&house.cache);
    assert_eq!(idle.differences(&house.census_at_docker()), [""; 0]);
}

/// Nothing but the daemon has the images; and what the second is called has written data that the first does not open.
#[test]
fn a_database_is_upgraded_between_images_that_only_a_daemon_has() {
    let scratch = Scratch::new();
    let Some(house) = house(&scratch) else { return };
    let all = servers();
    let mysql = all.iter().find(|one| one.component == Component::Mysql).expect("a server");
    let docker = house.start();
    let newer = "1000.1.0";
    for (tag, version) in [("1", mysql.version.as_str()), ("2", newer)] {
        let archive = image_of(mysql, tag, version, scratch.path());
        ask(&docker, &["load", "--quiet", "--input", &archive.display().to_string()]);
        fs::remove_file(&archive).expect("it was there");
    }
    let idle = house.census_at_docker();
    let out = scratch.at("out");
    let words = ["--hop-only", "--hold", "1s", "--from", "mysql=image:made.test/mysql:1"];
    let mut command = house.handover(["upgrade"]);
    command.args(words).args(["--to", "mysql=image:made.test/mysql:2", "--out"]).arg(&out);
    let done = Run::of(command, &house.cache, &out).end();
    done.exits(0);
    let told = format!(
        "the way back is not played: mysql {} does not open data that mysql {newer} has run on",
        mysql.version
    );
    let text = fs::read_to_string(out.join("comparison.json")).expect("a comparison");
    let found: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let crossing = &found["crossing"];
    let phases = support::array(&crossing["phases"]).iter().map(|phase| phase["name"].clone());
    assert_eq!(phases.collect::<Vec<_>>(), [format!("mysql {}", mysql.version), format!("mysql {newer}")]);
    assert_eq!(crossing["limits"], serde_json::json!([told]));
    house.cache.assert_empty();
    assert_eq!(idle.differences(&house.census_at_docker()), [""; 0]);
}

#[test]
fn what_cannot_be_a_container_is_told() {
    let scratch = Scratch::new();
    let Some(house) = house(&scratch) else { return };
    let all = servers();
    let server = |component: Component| all.iter().find(|one| one.component == component).expect("a server");
    let bao = image(server(Component::Openbao), scratch.path());

    // Where nobody runs containers, the program of the image runs as before; none is started for this.
    let run = begin(&house, &scratch.at("without"), &[&bao], &["kv/refresh"]);
    let done = run.end();
    let told = "no Docker daemon is there: the program of the image of openbao runs without a container";
    done.exits(0).says_once(told).leaves_nothing(&house.cache);
    assert!(done.read("events.jsonl").contains(told));
    assert!(own::running(&house.place).is_none());

    let docker = house.start();
    let idle = house.census_at_docker();
    let other = image(server(Component::Valkey), scratch.path());
    let cases = [
        (
            "openbao=image:127.0.0.1:1/none/openbao:1".to_owned(),
            "there is no image `127.0.0.1:1/none/openbao:1` at",
        ),
        (format!("openbao=image:{}", other.display()), "has no program `bao`"),
    ];
    for (index, (component, why)) in cases.iter().enumerate() {
        let out = scratch.at(format!("out-{index}"));
        let run = begin(&house, &out, &[], &["kv/refresh", "--component", component]);
        let done = run.end();
        done.exits(5).says(why).leaves_nothing(&house.cache);
        assert_eq!(idle.differences(&house.census_at_docker()), [""; 0]);
    }
    assert_eq!(containers(&docker), [""; 0]);
}

/// A client of a daemon that answers, and has the image, but: what it says of it is the test's.
fn stand_in(scratch: &Scratch, name: &str, of_image: &str) -> PathBuf {
    scratch.stand_in(
        &format!("{name}/docker"),
        &format!(
            r#"case "$*" in
version*) echo '{{"Server":{{"Version":"28","ApiVersion":"1.48","Components":[]}}}}';;
info*) echo '{{"Driver":"overlay2","CgroupVersion":"2","DefaultRuntime":"other","OperatingSystem":"x"}}';;
"image inspect"*) {of_image};;
esac
"#
        ),
    )
}

#[test]
fn a_daemon_that_says_no_ends_the_run() {
    let scratch = Scratch::new();
    let cache = Cache::of_stand_ins(&scratch);
    let socket = scratch.at("s");
    let _daemon = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let other = r#"echo '{"Id":"sha256:1","Os":"linux","Architecture":"s390x"}'"#;
    let denied = "echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1";
    for (name, of_image, why) in [
        ("other", other, "the image `made.test/bao:1` is made for linux/s390x, and not for this machine"),
        ("denied", denied, "lets this user not in"),
    ] {
        let client = stand_in(&scratch, name, of_image);
        let folders =
            [client.parent().expect("it lies in a folder"), Path::new("/usr/bin"), Path::new("/bin")];
        let out = scratch.at(format!("out-{name}"));
        let mut command =
            handover(&cache, ["run", "kv/refresh", "--component", "openbao=image:made.test/bao:1"]);
        command.arg("--out").arg(&out).env("DOCKER_HOST", format!("unix://{}", socket.display()));
        command.env("PATH", std::env::join_paths(folders).expect("folders of a path"));
        let done = Run::of(command, &cache, &out).end();
        done.exits(5).says_once(why).leaves_nothing(&cache);
    }
}
