//! The server: it listens, bounds what a connection may take, and ends when it is told to.

use std::convert::Infallible;
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use crate::desk::Desk;
use crate::frames::Encoded;
use crate::guard::Hosts;
use crate::library::Library;
use crate::queue::Queue;
use crate::session::Session;
use crate::shelf::Shelf;
use crate::workshop::{Failure, Workshop};
use crate::{Options, assets, gather, history, lanes, photos, queue, routes, running, shelf};

/// How many connections there are at the most.
const CONNECTIONS: usize = 128;

/// How long a request's head may take, its first byte too.
const HEAD: Duration = Duration::from_secs(10);

/// The most bytes and fields of a request's head.
const HEAD_BYTES: usize = 16 << 10;
const HEAD_FIELDS: usize = 64;

/// How often it is written down what has left the library.
const NOTED: Duration = Duration::from_secs(1);

/// How often what nobody needs any more goes.
const TIDIED: Duration = Duration::from_secs(24 * 3600);

/// What all requests share.
pub(crate) struct Room {
    pub(crate) desk: Arc<Desk>,
    pub(crate) shelf: Shelf,
    pub(crate) library: Arc<Library>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) session: Session,
    pub(crate) hosts: Hosts,
    pub(crate) encoded: Arc<Encoded>,
    looking: Mutex<()>,
    /// Recipes that have left the library and of which it does not know so yet.
    left: Mutex<Vec<String>>,
}

impl Room {
    /// Held while a photo is looked at: each may take a good part of the memory.
    pub(crate) fn look_alone(&self) -> MutexGuard<'_, ()> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A recipe leaves the library: what it names is kept for ever. A disk on which that cannot be written keeps nobody
    /// from saving.
    pub(crate) fn leaves(&self, recipe: &str) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).push(recipe.to_owned());
    }

    /// Writes down which recipes have left the library.
    pub(crate) fn note_left(&self) -> std::result::Result<(), Failure> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(recipe) = left.last() {
            self.library.keep_assets(recipe)?;
            left.pop();
        }
        Ok(())
    }
}

/// A studio that listens.
pub struct Studio {
    room: Arc<Room>,
    listener: TcpListener,
    runtime: Runtime,
    address: SocketAddr,
    notes: Vec<String>,
    /// Whether the library is begun anew from the files that are there.
    gathers: bool,
    _hold: running::Hold,
}

impl Studio {
    /// Opens a studio: from here on it takes connections, which are answered once it [runs](Self::run).
    ///
    /// # Errors
    /// A port that is taken, or a folder that cannot be written in.
    pub fn open(workshop: Arc<dyn Workshop>, options: Options) -> Result<Self> {
        let session = Session::new(options.token.clone())?;
        let unusable = |error: Error| {
            let folder = options.folder.display();
            Error::new(error.kind(), format!("could not use the folder {folder}: {error}"))
        };
        shelf::private(&options.folder).map_err(unusable)?;
        let hold = running::hold(&options.folder)?.ok_or_else(|| {
            let what = format!("another studio has the folder {}", options.folder.display());
            Error::new(ErrorKind::AddrInUse, what)
        })?;
        // Nobody else is in the folder from here on.
        let shelf = Shelf::open(options.folder.clone()).map_err(unusable)?;
        let (library, aside) = Library::open(&options.folder)?;
        let library = Arc::new(library);
        let (queue, unread) =
            Queue::open(library.clone()).map_err(|error| Error::other(error.detail))?;
        let queue = Arc::new(queue);
        let mut notes: Vec<String> =
            aside.iter().map(|aside| set_aside(aside)).chain(unread).collect();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(16)
            .thread_name("studio")
            .enable_all()
            .build()?;
        let listener = runtime.block_on(listen(&options))?;
        let address = listener.local_addr()?;
        running::note(&options.folder, address, session.token.text())?;
        let room = Arc::new(Room {
            desk: Arc::new(Desk::new(workshop, queue.clone(), options.stage)),
            shelf,
            library,
            queue,
            session,
            hosts: Hosts(options.hosts),
            encoded: Arc::default(),
            looking: Mutex::default(),
            left: Mutex::default(),
        });
        let gathers = aside.is_some();
        notes.extend(tidy(&room).err().map(|error| error.detail));
        Ok(Self { room, listener, runtime, address, notes, gathers, _hold: hold })
    }

    /// What its user should know, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The token that opens it.
    pub fn token(&self) -> &str {
        self.room.session.token.text()
    }

    /// The address of a page that is open at once: it works once, for a minute.
    ///
    /// # Errors
    /// A system that gives no random bits.
    pub fn link(&self) -> Result<String> {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        Ok(format!("http://{address}/#code={}", self.room.session.code()?))
    }

    /// Answers until `is_over` says so, which is asked a few times a second, or a page ends it.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn run(self, is_over: impl Fn() -> bool) -> Result<()> {
        let Self { room, listener, runtime, address: _, notes: _, gathers, _hold } = self;
        let lane = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(work)
        };
        let desk = room.desk.clone();
        let steers = lane("steering", Box::new(move || lanes::steer(&desk)))?;
        let behind = room.clone();
        let behind = lane("behind", Box::new(move || lanes::behind(&behind.desk, &behind.shelf)))?;
        let renders = room.clone();
        let renders = lane("rendering", Box::new(move || queue::lane(&renders)))?;
        if gathers {
            let room = room.clone();
            lane("gathering", Box::new(move || gather::gather(&room)))?;
        }
        let keeper = room.clone();
        let keeps = lane("history", Box::new(move || history::keep(&keeper)))?;
        let accept = runtime.spawn(accept(listener, room.clone()));
        let mut tidied = Instant::now();
        let mut noted = Instant::now();
        while !is_over() && !room.desk.is_over() {
            std::thread::sleep(Duration::from_millis(100));
            if noted.elapsed() >= NOTED {
                noted = Instant::now();
                // What cannot be written is tried again.
                let _ = room.note_left();
            }
            if tidied.elapsed() >= TIDIED {
                tidied = Instant::now();
                // What cannot be removed is tried again a day later.
                let _ = tidy(&room);
            }
        }
        accept.abort();
        let _ = room.note_left();
        room.desk.close();
        room.queue.close();
        let _ = (steers.join(), behind.join(), renders.join(), keeps.join());
        // Pages are told; then nothing is waited for.
        std::thread::sleep(Duration::from_millis(100));
        runtime.shutdown_timeout(Duration::from_millis(200));
        Ok(())
    }
}

/// Removes what has been in the trash for long enough, and what nothing names any more.
fn tidy(room: &Room) -> std::result::Result<(), Failure> {
    photos::empty_trash(room, photos::TRASH_LIVES).and(assets::tidy(room))
}

/// What is said of a broken library.
fn set_aside(aside: &Path) -> String {
    let aside = aside.display();
    format!(
        "the library was damaged: it is kept as {aside}, and another one begins with the photos that are there"
    )
}

/// Listens at the address, or on the next free port of ten.
async fn listen(options: &Options) -> Result<TcpListener> {
    let wanted = options.address;
    let last = if options.next_port { 9 } else { 0 };
    for more in 0..=last {
        let Some(port) = wanted.port().checked_add(more) else { break };
        match TcpListener::bind(SocketAddr::new(wanted.ip(), port)).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => {
                let at = SocketAddr::new(wanted.ip(), port);
                return Err(Error::new(error.kind(), format!("could not listen at {at}: {error}")));
            }
            listener => return listener,
        }
    }
    let what = match options.next_port {
        true => format!("port {} and the nine after it are taken", wanted.port()),
        false => format!("port {} is taken", wanted.port()),
    };
    Err(Error::new(ErrorKind::AddrInUse, what))
}

/// A connection that is open, unless its task has finished.
struct Connection {
    task: AbortHandle,
    /// Whether a whole head has come.
    asked: Arc<AtomicBool>,
}

async fn accept(listener: TcpListener, room: Arc<Room>) {
    let moment = || tokio::time::sleep(Duration::from_millis(50));
    let mut open: Vec<Connection> = Vec::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, say: a moment later there may be fewer.
            moment().await;
            continue;
        };
        loop {
            open.retain(|one| !one.task.is_finished());
            if open.len() < CONNECTIONS {
                break;
            }
            // Who has asked for nothing yet makes room for who comes.
            match open.iter().position(|one| !one.asked.load(Ordering::Relaxed)) {
                Some(silent) => open.remove(silent).task.abort(),
                None => moment().await,
            }
        }
        let _ = stream.set_nodelay(true);
        let (room, asked) = (room.clone(), Arc::new(AtomicBool::new(false)));
        let asks = asked.clone();
        let task = tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<Incoming>| {
                asks.store(true, Ordering::Relaxed);
                let (room, request) = (room.clone(), Request::from(request.map(Body::new)));
                async move { Ok::<_, Infallible>(routes::answer(room, request).await) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(HEAD_BYTES)
                .max_headers(HEAD_FIELDS)
                .half_close(false);
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
        open.push(Connection { task: task.abort_handle(), asked });
    }
}
