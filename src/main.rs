//! The `whatcart` program.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match cli::arguments() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let screen = cli::screen::Screen::new(arguments.color, arguments.ascii);
    let request = cli::request::Request::from(arguments);
    let ended = cli::guarded(|| match request {
        cli::request::Request::List => cli::list::list(&screen),
        cli::request::Request::Show(show) => cli::show::show(&show, &screen),
        cli::request::Request::Explain(what) => cli::explain::explain(&what, &screen),
        cli::request::Request::Init(file) => cli::init::init(&file, &screen),
        cli::request::Request::Run(run) => cli::run::run(&run, &screen),
        cli::request::Request::Check(what) => cli::check::check(&what, &screen),
        cli::request::Request::Serve(port) => cli::serve::serve(port, &screen),
        cli::request::Request::Schema => cli::schema(&screen),
        cli::request::Request::Man(install) => cli::install::man(&install, &screen),
        cli::request::Request::Completions(install) => cli::install::completions(&install, &screen),
    });
    cli::exit_code(ended, &screen)
}
