//! Steps on servers that are not as a scenario takes them to be: each is told for what it is, and the run goes on.

mod support;

use support::{Cache, Run, Scratch, edited};

#[test]
fn what_a_scenario_wants_of_servers_breaks_no_run() {
    let scratch = Scratch::new();
    let cache = Cache::new(&scratch);
    let files = scratch.at("scenarios");
    let variant = |name: &str, steps: &str| {
        edited("kv/refresh", &files.join(name), name, |file, text| match file == "refresh.yaml" {
            true => text.replacen("\nabout:", "\nexclusive: true\nabout:", 1).replacen(
                "\nsteps:\n",
                &format!("\nsteps:\n{steps}"),
                1,
            ),
            false => text,
        });
    };
    variant("running", "  - start: eso\n");
    // What takes the place of what is down runs: nobody owes its start any more.
    variant("stopped", "  - stop: eso\n  - replace: { component: eso, with: v0.20.4 }\n");

    let done = Run::start(&cache, &scratch.at("out"), [&files]).end();
    done.exits(5).says_once("2 scenarios: 1 pass, 1 error exit 5").leaves_nothing(&cache);
    let told = |name: &str| {
        let scenario = done.scenario(&format!("{name}/kv/refresh"));
        let text = |key: &str| scenario[key].as_str().expect("text").to_owned();
        (text("verdict"), text("summary"))
    };
    let (verdict, why) = told("running");
    assert!(verdict == "error" && why.contains("`eso` runs already; stop it first"), "{why}");
    assert_eq!(told("stopped").0, "pass");
    assert!(done.verdict()["broke"].is_null());
}
