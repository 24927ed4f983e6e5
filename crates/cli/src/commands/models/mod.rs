//! `models`: what networks there are, and getting more of them.

mod show;

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use deepdream::models::{
    Addition, BUILT_IN, KnownNetwork, ModelError, Pulled, Source, Store, StoreEvent,
};
use deepdream::{CancelToken, Network, NetworkChoice, QUICK, Recipe, Result};
use graph::ChannelOrder;
use indicatif::DecimalBytes;
use serde::Serialize;

use crate::complete;
use crate::console::{self, print, say};
use crate::interrupt;
use crate::progress_line::ProgressLine;
use crate::terminal::is_terminal;
use crate::units::{duration, time_left};

/// Arguments of `models`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ModelsArgs {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the networks.
    #[command(visible_alias = "ls")]
    List {
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Downloads a known network. A download that broke off continues where it ended.
    Pull {
        /// The network, as `deepdream models` lists it.
        #[arg(add = ArgValueCompleter::new(complete::known_networks))]
        name: String,
        /// The address of a mirror of the same file, or that file on this machine. The checksum still
        /// decides.
        #[arg(long, value_name = "URL|FILE")]
        from: Option<String>,
    },
    /// Shows a network's source, checksum, licence, input and layers.
    Show {
        /// The network, or a model file.
        #[arg(add = ArgValueCompleter::new(complete::networks))]
        name: String,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Copies a model file into the store, under a name.
    Add(AddArgs),
    /// Says which network is used where none is named, or chooses it.
    Default {
        /// The network: squeezenet, or one that is installed.
        #[arg(add = ArgValueCompleter::new(complete::usable_networks))]
        name: Option<String>,
    },
    /// Removes an installed network.
    Remove {
        /// The network.
        #[arg(add = ArgValueCompleter::new(complete::installed_networks))]
        name: String,
    },
}

#[derive(Debug, Args)]
struct AddArgs {
    /// The model file. A .prototxt needs its .caffemodel beside it, under the same name.
    file: PathBuf,
    /// What to call it. Default: what the file is called.
    #[arg(long)]
    name: Option<String>,
    /// What the network was trained to see, by name. Default: what the file says, or what is usual for its
    /// format.
    #[arg(long, value_name = "NAME", value_parser = statistics())]
    statistics: Option<String>,
    /// The order in which the network takes the colours. Default: likewise.
    #[arg(long, value_name = "ORDER")]
    channel_order: Option<Order>,
    /// What to subtract from each channel, 0–255, in the network's own order: one number or three. Default:
    /// likewise.
    #[arg(long, value_name = "A,B,C", value_parser = three, allow_hyphen_values = true)]
    mean: Option<[f32; 3]>,
    /// What to multiply each channel with after that: one number or three. Default: likewise.
    #[arg(long, value_name = "A,B,C", value_parser = three, allow_hyphen_values = true)]
    scale: Option<[f32; 3]>,
    /// A file with the names of the network's classes, one on each line.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

/// In which order a network takes the colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

impl From<Order> for ChannelOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Rgb => Self::Rgb,
            Order::Bgr => Self::Bgr,
        }
    }
}

/// Lists the networks, or does what the subcommand says.
pub(crate) fn models(args: &ModelsArgs) -> Result<()> {
    let store = Store::open()?;
    match &args.action {
        None => list(&store, args.json),
        Some(Action::List { json }) => list(&store, *json),
        Some(Action::Show { name, json }) => show::show(&store, name, *json),
        Some(Action::Pull { name, from }) => pull(&store, name, from.as_deref()),
        Some(Action::Add(args)) => add(&store, args),
        Some(Action::Default { name: None }) => print(format!("{}\n", store.default_network())),
        Some(Action::Default { name: Some(name) }) => {
            let view = StoreView::listen()?;
            store.set_default(name, &mut |event| view.event(event))?;
            print(format!("{name} is used where no network is named\n"))
        }
        Some(Action::Remove { name }) => {
            let view = StoreView::listen()?;
            store.remove(name, &mut |event| view.event(event))?;
            print(format!("{name} is removed\n"))
        }
    }
}

/// One network in the list.
#[derive(Serialize)]
struct Line {
    name: String,
    standing: Standing,
    /// Whether it is used where no network is named.
    default: bool,
    /// On the disk; of what is known, about how many are to be fetched.
    bytes: Option<u64>,
    licence: Option<String>,
    /// The layers a dream without `--layer` is made of.
    default_layers: Vec<String>,
    /// Why an installed network cannot be used.
    problem: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    BuiltIn,
    Installed,
    Known,
}

fn list(store: &Store, json: bool) -> Result<()> {
    let built_in = deepdream::models::squeezenet()?;
    let default = store.default_network();
    let mut lines = vec![Line {
        default: default == BUILT_IN,
        name: BUILT_IN.to_owned(),
        standing: Standing::BuiltIn,
        bytes: None,
        licence: Some(BUILT_IN_LICENCE.to_owned()),
        default_layers: default_layers(&built_in),
        problem: None,
    }];
    for name in store.installed()? {
        let manifest = store.manifest(&name);
        let network = store.resolve(Some(&name));
        lines.push(Line {
            standing: Standing::Installed,
            default: default == name,
            bytes: store.size(&name).ok(),
            licence: manifest.ok().and_then(|manifest| manifest.licence),
            problem: network.as_ref().err().map(ModelError::to_string),
            default_layers: network
                .map(|(network, _)| default_layers(&network))
                .unwrap_or_default(),
            name,
        });
    }
    for (known, source) in published().filter(|(known, _)| !store.is_installed(known.name)) {
        lines.push(Line {
            name: known.name.to_owned(),
            standing: Standing::Known,
            default: false,
            bytes: Some(source.bytes),
            licence: Some(source.licence.to_owned()),
            default_layers: Vec::new(),
            problem: None,
        });
    }
    if json { console::json(&lines) } else { print(table(&lines)) }
}

/// The networks that can be downloaded, and where from.
fn published() -> impl Iterator<Item = (&'static KnownNetwork, &'static Source)> {
    deepdream::models::catalogue().iter().filter_map(|known| Some((known, known.source.as_ref()?)))
}

fn table(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Line { name, standing, bytes, default_layers, problem, default, .. } in lines {
        let what = match standing {
            Standing::BuiltIn => "built in ",
            Standing::Installed => "installed",
            Standing::Known => "known    ",
        };
        let size = bytes.map(|bytes| DecimalBytes(bytes).to_string()).unwrap_or_default();
        let rest = match (standing, problem) {
            (Standing::Known, _) => format!("deepdream models pull {name}"),
            (_, Some(problem)) => problem.clone(),
            _ if default_layers.is_empty() => "has no default layer".to_owned(),
            _ => format!("dreams of {}", default_layers.join(", ")),
        };
        let default = if *default { " (default)" } else { "" };
        text += &format!("{name:width$}  {what}  {size:>10}  {rest}{default}\n");
    }
    text
}

fn pull(store: &Store, name: &str, from: Option<&str>) -> Result<()> {
    if name == BUILT_IN {
        return print(format!("{name} is built into the program\n"));
    }
    let source = published().find_map(|(known, source)| (known.name == name).then_some(source));
    if let Some(url) = from.or(source.map(|source| source.url)) {
        say(format!("{name}: from {url}"));
    }
    let begun = Instant::now();
    let view = StoreView::listen()?;
    let pulled = store.pull(name, from, &mut |event| view.event(event));
    drop(view);
    let folder = store.folder(name);
    let folder = folder.display();
    match pulled? {
        Pulled::Downloaded => {
            // What takes long to open is opened now, so that its layers can be completed; what keeps it from being
            // opened is said by those who use it.
            if store.size(name).is_ok_and(|bytes| bytes > QUICK) {
                let _ = NetworkChoice::Named(name.to_owned()).load();
            }
            let licence = source.map_or("not known", |source| source.licence);
            let took = duration(begun.elapsed());
            if source.is_some_and(|source| source.checksum.parts().is_none()) {
                say("note: no checksum of this file is published, so it was not checked");
            }
            print(format!("{name} is installed in {folder} in {took} (licence: {licence})\n"))
        }
        Pulled::AlreadyThere => print(format!("{name} is installed already, in {folder}\n")),
    }
}

/// Shows how far a change of the store is, and ends it after Ctrl-C.
struct StoreView {
    cancel: CancelToken,
    line: RefCell<ProgressLine>,
    waiting: Cell<bool>,
    /// When the download began, and how much an earlier call had fetched: that says nothing about how fast
    /// this one is.
    begun: Cell<Option<(Instant, u64)>>,
}

impl StoreView {
    fn listen() -> Result<Self> {
        let cancel = interrupt::listen();
        Ok(Self {
            cancel,
            line: RefCell::default(),
            waiting: Cell::new(false),
            begun: Cell::new(None),
        })
    }

    fn event(&self, event: StoreEvent) -> ControlFlow<()> {
        match event {
            StoreEvent::Waiting if !self.waiting.replace(true) => {
                say("waiting for another deepdream that changes the networks");
            }
            StoreEvent::InputAssumed => say(
                "note: the file does not say what the network was trained to see, so the usual input of its \
                 format is assumed. If dreams look wrong, add it again with --statistics",
            ),
            StoreEvent::Downloading { done, total } => self.transfer(done, total),
            _ => {}
        }
        if self.cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn transfer(&self, done: u64, total: Option<u64>) {
        let (begun, from) = self.begun.get().unwrap_or_else(|| {
            if is_terminal() {
                self.line.borrow_mut().start();
            }
            (Instant::now(), done)
        });
        self.begun.set(Some((begun, from)));
        let bytes = |bytes| DecimalBytes(bytes).to_string();
        let text = match total {
            Some(total) => format!("{} of {}", bytes(done), bytes(total)),
            None => bytes(done),
        };
        let left = total.filter(|_| done > from).map(|total| {
            let pace = begun.elapsed().as_secs_f64() / (done - from) as f64;
            let left = Duration::from_secs_f64(pace * total.saturating_sub(done) as f64);
            format!("{} left", time_left(left))
        });
        self.line.borrow().show(vec![text], left.unwrap_or_default(), done, total);
    }
}

impl Drop for StoreView {
    fn drop(&mut self) {
        self.line.borrow_mut().clear();
    }
}

fn add(store: &Store, args: &AddArgs) -> Result<()> {
    let addition = Addition {
        file: args.file.clone(),
        name: args.name.clone(),
        statistics: args.statistics.clone(),
        channel_order: args.channel_order.map(Into::into),
        mean: args.mean,
        scale: args.scale,
        labels: args.labels.clone(),
    };
    let view = StoreView::listen()?;
    let name = store.add(&addition, &mut |event| view.event(event))?;
    let mut text =
        format!("{name} is installed: `deepdream image PHOTO --model {name}` dreams with it\n");
    if let Some(part) = deepdream::unsupported_part(&NetworkChoice::Named(name.clone()).load()?) {
        text += &format!("note: {part}\n");
    }
    print(text)
}

/// The names of usual inputs, as values of a flag.
fn statistics() -> PossibleValuesParser {
    let known = deepdream::models::statistics().iter();
    let values: Vec<_> =
        known.map(|usual| PossibleValue::new(usual.name).help(usual.description)).collect();
    values.into()
}

/// The terms of the network in the program, in short; THIRD-PARTY.md has them in full.
const BUILT_IN_LICENCE: &str = "BSD-2-Clause and MIT";

fn default_layers(network: &Network) -> Vec<String> {
    Recipe::for_network(network).objective.into_iter().map(|term| term.layer).collect()
}

/// Three numbers with commas between, or one for all three.
fn three(text: &str) -> Result<[f32; 3], String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match numbers.as_deref() {
        Ok([all]) if all.is_finite() => Ok([*all; 3]),
        Ok(&[a, b, c]) if a.is_finite() && b.is_finite() && c.is_finite() => Ok([a, b, c]),
        _ => Err("use one number, or three with commas between them".to_owned()),
    }
}
