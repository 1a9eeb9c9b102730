//! Belay: temporary, approved access to AWS, taken away on time.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::run()
}
