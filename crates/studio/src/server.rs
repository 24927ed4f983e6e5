//! The server: it listens, bounds what a connection may take, and ends when it is told to.

use std::convert::Infallible;
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use crate::desk::Desk;
use crate::frames::Encoded;
use crate::guard::Hosts;
use crate::session::Session;
use crate::shelf::Shelf;
use crate::workshop::Workshop;
use crate::{Options, lanes, routes, running, shelf};

/// How many connections there are at the most.
const CONNECTIONS: usize = 128;

/// How long a request's head may take, its first byte too.
const HEAD: Duration = Duration::from_secs(10);

/// The most bytes and fields of a request's head.
const HEAD_BYTES: usize = 16 << 10;
const HEAD_FIELDS: usize = 64;

/// What all requests share.
pub(crate) struct Room {
    pub(crate) desk: Arc<Desk>,
    pub(crate) shelf: Shelf,
    pub(crate) session: Session,
    pub(crate) hosts: Hosts,
    pub(crate) encoded: Arc<Encoded>,
    /// Held while a photo is looked at.
    pub(crate) looking: Mutex<()>,
}

/// A studio that listens.
pub struct Studio {
    room: Arc<Room>,
    listener: TcpListener,
    runtime: Runtime,
    address: SocketAddr,
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
            desk: Arc::new(Desk::new(workshop, options.stage)),
            shelf,
            session,
            hosts: Hosts(options.hosts),
            encoded: Arc::default(),
            looking: Mutex::default(),
        });
        Ok(Self { room, listener, runtime, address, _hold: hold })
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
        let Self { room, listener, runtime, address: _, _hold } = self;
        let lane = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(work)
        };
        let desk = room.desk.clone();
        let steers = lane("steering", Box::new(move || lanes::steer(&desk)))?;
        let behind = room.clone();
        let behind = lane("behind", Box::new(move || lanes::behind(&behind.desk, &behind.shelf)))?;
        let accept = runtime.spawn(accept(listener, room.clone()));
        while !is_over() && !room.desk.is_over() {
            std::thread::sleep(Duration::from_millis(100));
        }
        accept.abort();
        room.desk.close();
        let _ = (steers.join(), behind.join());
        // Pages are told; then nothing is waited for.
        std::thread::sleep(Duration::from_millis(100));
        runtime.shutdown_timeout(Duration::from_millis(200));
        Ok(())
    }
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

async fn accept(listener: TcpListener, room: Arc<Room>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, say: a moment later there may be fewer.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let room = room.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<Incoming>| {
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
            drop(place);
        });
    }
}
