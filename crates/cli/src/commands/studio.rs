//! `studio`: a page in the browser in which people dream.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use clap::Args;
use deepdream::models::Store;
use deepdream::{Error, Fault, Result, Workshop};
use studio::{Options, PORT, Studio, window_of_running};

use crate::args::MachineArgs;
use crate::console::say;
use crate::interrupt;

/// The fewest letters of a token: 128 bits in hexadecimal.
const TOKEN: usize = 32;

/// Arguments of `studio`.
#[derive(Debug, Args)]
pub(crate) struct StudioArgs {
    /// The port. Default: 8037 or, if that is taken, the next free one of ten.
    #[arg(long, value_name = "N", conflicts_with = "listen")]
    port: Option<u16>,
    /// Print the page's address and open no browser.
    #[arg(long)]
    no_browser: bool,
    /// Listen at this address, so that other machines reach the page: plain HTTP, which others on the way can
    /// read. Default: this machine alone.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Other machines")]
    listen: Option<SocketAddr>,
    /// A name under which the page is reached, such as that of a proxy before it. May be repeated.
    #[arg(long = "host", value_name = "NAME", help_heading = "Other machines")]
    hosts: Vec<String>,
    /// A file with the token that opens the page: at least 32 letters and digits, for its owner alone.
    /// Default: a new token for each run.
    #[arg(long, value_name = "FILE", help_heading = "Other machines")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Serves the page until Ctrl-C or the page ends it.
pub(crate) fn studio(args: &StudioArgs) -> Result<()> {
    let folder = Store::open()?.root().join("studio");
    if let Some(link) = window_of_running(&folder).map_err(|error| failed(&error))? {
        say("a studio runs already: this opens another window of it");
        show(&link, args.no_browser);
        return Ok(());
    }
    let mut options = Options::new(folder);
    if let Some(port) = args.port {
        options.address.set_port(port);
        options.next_port = false;
    }
    if let Some(address) = args.listen {
        options.address = address;
        options.next_port = false;
    }
    options.hosts = args.hosts.clone();
    options.token = args.token_file.as_deref().map(token).transpose()?;
    let token = interrupt::listen();
    let workshop = Arc::new(Workshop::new(&args.machine.limits())?);
    let given = options.token.is_some();
    if let Some(address) = args.listen.filter(|address| !address.ip().is_loopback()) {
        if !address.ip().is_unspecified() {
            options.hosts.push(address.ip().to_string());
        }
        say(
            "note: whoever is on the way can read what the page and this program say to each other",
        );
    }
    let studio = Studio::open(workshop, options).map_err(|error| failed(&error))?;
    studio.notes().iter().for_each(|note| say(format!("note: {note}")));
    let address = studio.address();
    let port = address.port();
    if args.port.is_none() && args.listen.is_none() && port != PORT {
        say(format!("note: port {PORT} is taken, {port} is used"));
    }
    say(format!("the studio is at http://{address}/"));
    if args.listen.is_some() && !given {
        say(format!("its token for other machines: {}", studio.token()));
    }
    if args.no_browser && args.listen.is_none() {
        say(format!("from another machine: ssh -N -L {port}:127.0.0.1:{port} HOST"));
    }
    show(&studio.link().map_err(|error| failed(&error))?, args.no_browser);
    say("Ctrl-C ends it");
    studio.run(|| token.is_cancelled()).map_err(|error| failed(&error))
}

/// Opens a window, or says how.
fn show(link: &str, no_browser: bool) {
    let opened = !no_browser && open(link).is_ok();
    let what = if opened { "if no window opens" } else { "open this" };
    say(format!("{what}, within a minute: {link}"));
}

/// Opens an address in the user's browser.
fn open(link: &str) -> std::io::Result<()> {
    let (program, before): (&str, &[&str]) = if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_vendor = "apple") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(before).arg(link).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::null()).spawn()?;
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// The token in a file.
fn token(path: &Path) -> Result<String> {
    let wrong = |why: &str| {
        Error::new(Fault::Usage, format!("the token file {}: {why}", path.display())).at(path)
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = path.metadata().map_or(0, |file| file.permissions().mode());
        if mode & 0o077 != 0 {
            return Err(wrong("others can read it").hint("Run `chmod 600` on it."));
        }
    }
    let text = text.trim();
    let plain = text.bytes().all(|letter| letter.is_ascii_alphanumeric());
    if text.len() < TOKEN || !plain {
        let why = format!("a token has at least {TOKEN} letters and digits, and nothing else");
        return Err(wrong(&why).hint("`openssl rand -hex 32` makes one."));
    }
    Ok(text.to_owned())
}

fn failed(error: &std::io::Error) -> Error {
    let taken = error.kind() == ErrorKind::AddrInUse;
    let error = Error::new(if taken { Fault::Usage } else { Fault::Output }, error);
    if taken { error.hint("Choose another one with --port.") } else { error }
}
