//! The `handover` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    handover::cli::main()
}
