//! Whatever is asked of a queue, in whatever order, and however often its program ends.

use proptest::prelude::*;

use super::*;
use crate::render::Wanted;

/// What can be asked, of the job of a number.
#[derive(Clone, Debug)]
enum Asked {
    Add(Option<u8>),
    On(Happens, usize),
    Move(Move, usize),
    Take(usize),
    PauseAll(bool),
    CancelWaiting,
    /// The lane looks for work, or its run takes a step.
    Work,
    /// The run ends: with its file, stopped, without room, or failed.
    Ends(u8),
    /// The program is killed and starts again.
    Killed,
}

fn asked() -> impl Strategy<Value = Asked> {
    let happens = prop_oneof![Just(Happens::Pause), Just(Happens::Resume), Just(Happens::Cancel)];
    let moves = prop_oneof![Just(Move::Up), Just(Move::Down), Just(Move::First)];
    prop_oneof![
        3 => prop::option::of(0u8..4).prop_map(Asked::Add),
        4 => (happens, 0usize..8).prop_map(|(happens, at)| Asked::On(happens, at)),
        2 => (moves, 0usize..8).prop_map(|(how, at)| Asked::Move(how, at)),
        1 => (0usize..8).prop_map(Asked::Take),
        1 => any::<bool>().prop_map(Asked::PauseAll),
        1 => Just(Asked::CancelWaiting),
        6 => Just(Asked::Work),
        4 => (0u8..4).prop_map(Asked::Ends),
        1 => Just(Asked::Killed),
    ]
}

pub(super) fn job(ticket: Ticket) -> Job {
    let (id, number, place, state) = ("id".into(), 1, 1, State::Waiting);
    let (attempt, made, ended, output, failure) = (0, 0, None, None, None);
    let recipe = "recipe".into();
    Job { id, number, place, state, attempt, made, ended, output, failure, ticket, recipe }
}

pub(super) fn ticket() -> Ticket {
    let wanted = Wanted::Picture { longest: None, extension: "png".into(), sixteen: false };
    let (picture, name, title) = ("sky".into(), "sky.png".into(), "mixed4c".into());
    let (width, height, noise, size) = (64, 48, false, (64, 48));
    let (seconds, disk, draft) = (None, 0, false);
    Ticket { picture, name, width, height, noise, title, wanted, size, seconds, disk, draft }
}

/// A queue, and the lane that works on it.
struct World {
    /// Where its library is.
    _folder: tempfile::TempDir,
    library: Arc<Library>,
    queue: Queue,
    /// The job that the lane is at.
    run: Option<String>,
    /// Jobs in the order in which they were added.
    all: Vec<String>,
    /// Keys of requests, and the jobs that they made.
    keys: std::collections::HashMap<u8, String>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = Arc::new(Library::open(folder.path()).unwrap().0);
        let queue = Queue::open(library.clone()).unwrap().0;
        Self {
            _folder: folder,
            library,
            queue,
            run: None,
            all: Vec::new(),
            keys: Default::default(),
        }
    }

    fn jobs(&self) -> Vec<Job> {
        self.queue.lock().jobs.clone()
    }

    fn do_(&mut self, asked: &Asked) {
        let of = |at: &usize| self.all.get(at % self.all.len().max(1)).cloned().unwrap_or_default();
        match asked {
            Asked::Add(key) => {
                let text = key.map(|key| key.to_string());
                let id = self.queue.add(ticket(), "recipe".into(), text.as_deref()).unwrap();
                if let Some(key) = key {
                    let known = self.keys.entry(*key).or_insert_with(|| id.clone());
                    assert!(*known == id || self.queue.job(known).is_none());
                    self.keys.insert(*key, id.clone());
                }
                if !self.all.contains(&id) {
                    self.all.push(id);
                }
            }
            Asked::On(happens, at) => {
                let id = of(at);
                let before = self.queue.job(&id);
                let result = self.queue.on(&id, *happens);
                let can = before.and_then(|job| job.state.after(*happens));
                match result {
                    Ok(None) => assert!(self.queue.job(&id).is_none()),
                    Ok(Some(())) => assert_eq!(self.queue.job(&id).unwrap().state, can.unwrap()),
                    Err(_) => assert_eq!(can, None),
                }
            }
            Asked::Move(how, at) => drop(self.queue.shift(&of(at), *how).unwrap()),
            Asked::Take(at) => drop(self.queue.take(&of(at)).unwrap()),
            Asked::PauseAll(paused) => self.queue.pause(*paused).unwrap(),
            Asked::CancelWaiting => self.queue.cancel_waiting().unwrap(),
            Asked::Work => self.work(),
            Asked::Ends(how) => self.end(*how),
            Asked::Killed => {
                self.run = None;
                let before = self.jobs();
                self.queue = Queue::open(self.library.clone()).unwrap().0;
                for (before, after) in before.iter().zip(self.jobs()) {
                    assert_eq!(before.id, after.id);
                    match before.state.runs() {
                        true if before.attempt >= 3 => assert_eq!(after.state, State::Paused),
                        true => assert_eq!(after.state, State::Waiting),
                        false => assert_eq!(after.state, before.state),
                    }
                }
            }
        }
    }

    fn work(&mut self) {
        match &self.run {
            None => {
                let first = self.jobs().into_iter().find(|job| job.state == State::Waiting);
                let mut inner = self.queue.lock();
                let paused = inner.paused;
                let begun = self.queue.begin_next(&mut inner);
                drop(inner);
                // The first that waits, unless all are paused.
                assert_eq!(
                    begun.as_ref().map(|job| &job.id),
                    first.filter(|_| !paused).as_ref().map(|job| &job.id)
                );
                self.run = begun.map(|job| job.id);
            }
            Some(id) => {
                if self.queue.turn(id, false) == Turn::GiveUp {
                    self.end(1);
                }
            }
        }
    }

    fn end(&mut self, how: u8) {
        let Some(id) = self.run.take() else { return };
        let result = match how {
            0 => Ok(()),
            1 => Err(Failure::new(Failure::STOPPED, "It was stopped.")),
            2 => Err(Failure::new("disk", "The disk is full.")),
            _ => Err(Failure::new("memory", "It does not fit.")),
        };
        let before = self.queue.job(&id).map(|job| job.state);
        self.queue.ended(&id, result);
        let after = self.queue.job(&id).map(|job| job.state);
        match (how, before) {
            (_, None) => assert_eq!(after, None),
            (0, Some(_)) => assert_eq!(after, Some(State::Done)),
            (1 | 2, Some(State::Running | State::Held)) => assert_eq!(after, Some(State::Waiting)),
            (3, Some(State::Running | State::Held)) => assert_eq!(after, Some(State::Failed)),
            (_, before) => assert_eq!(after, before),
        }
        if how == 2 {
            assert!(self.queue.lock().paused);
        }
    }

    /// What always holds.
    fn check(&self) {
        let jobs = self.jobs();
        let running: Vec<_> = jobs.iter().filter(|job| job.state.runs()).collect();
        assert!(running.len() <= 1);
        assert!(running.iter().all(|job| self.run.as_ref() == Some(&job.id)));
        let open: Vec<_> = jobs.iter().take_while(|job| !job.state.has_ended()).collect();
        assert!(open.is_sorted_by_key(|job| job.place));
        assert!(jobs[open.len()..].iter().all(|job| job.state.has_ended() && job.ended.is_some()));
        // What is written down is what is there.
        let mut written: Vec<JobRow> = self.library.jobs(1000).unwrap();
        let mut known: Vec<JobRow> = jobs.iter().map(Job::row).collect();
        written.sort_by(|one, other| one.id.cmp(&other.id));
        known.sort_by(|one, other| one.id.cmp(&other.id));
        assert_eq!(written, known);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn jobs_are_neither_lost_nor_done_twice(all in prop::collection::vec(asked(), 1..60)) {
        let mut world = World::new();
        for asked in &all {
            world.do_(asked);
            world.check();
        }
    }
}

#[test]
fn the_third_attempt_without_an_end_is_the_last() {
    let mut world = World::new();
    world.do_(&Asked::Add(None));
    for attempt in 1..=3 {
        world.work();
        assert_eq!(world.jobs()[0].attempt, attempt);
        world.do_(&Asked::Killed);
    }
    let job = &world.jobs()[0];
    assert_eq!(job.state, State::Paused);
    assert!(job.failure.as_ref().unwrap().detail.contains("3 times"));
    world.do_(&Asked::On(Happens::Resume, 0));
    world.work();
    assert_eq!((world.jobs()[0].attempt, world.jobs()[0].state), (1, State::Running));
}

#[test]
fn a_full_disk_pauses_all_also_where_its_job_is_gone() {
    let mut world = World::new();
    world.do_(&Asked::Add(None));
    world.work();
    world.do_(&Asked::On(Happens::Cancel, 0));
    world.do_(&Asked::Take(0));
    assert!(world.jobs().is_empty());
    world.end(2);
    assert_eq!(world.queue.lock().failure.as_ref().unwrap().fault, "disk");
}

#[test]
fn a_paused_run_keeps_what_it_has_until_another_has_its_turn() {
    let mut world = World::new();
    world.do_(&Asked::Add(None));
    world.work();
    let id = world.run.clone().unwrap();
    world.do_(&Asked::On(Happens::Pause, 0));
    assert_eq!(world.queue.turn(&id, false), Turn::Wait);
    world.do_(&Asked::On(Happens::Resume, 0));
    assert_eq!(world.queue.turn(&id, false), Turn::GoOn);
    assert_eq!(world.jobs()[0].attempt, 1);
    world.do_(&Asked::On(Happens::Pause, 0));
    world.do_(&Asked::Add(None));
    assert_eq!(world.queue.turn(&id, false), Turn::GiveUp);
    // A preview goes first, and so does a pause of all.
    world.end(1);
    world.work();
    let id = world.run.clone().unwrap();
    assert_eq!(world.queue.turn(&id, true), Turn::Wait);
    assert_eq!(world.queue.job(&id).unwrap().state, State::Held);
    assert_eq!(world.queue.turn(&id, false), Turn::GoOn);
    world.do_(&Asked::PauseAll(true));
    assert_eq!(world.queue.turn(&id, false), Turn::Wait);
    world.queue.close();
    assert_eq!(world.queue.turn(&id, false), Turn::GiveUp);
}

#[test]
fn a_draft_has_its_turn_while_a_render_is_held() {
    let mut world = World::new();
    world.do_(&Asked::Add(None));
    assert!(world.queue.begin_draft().is_none());
    world.work();
    let render = world.run.clone().unwrap();
    assert!(world.queue.begin_draft().is_none());
    let draft = Ticket { draft: true, ..ticket() };
    let draft = world.queue.add(draft, "recipe".into(), None).unwrap();
    assert_eq!(world.queue.begin_draft().unwrap().id, draft);
    let state = |id: &str| world.queue.job(id).unwrap().state;
    assert_eq!((state(&render), state(&draft)), (State::Held, State::Running));
    assert_eq!(world.queue.running()["id"], *draft);
    world.queue.ended(&draft, Err(Failure::new("memory", "It does not fit.")));
    assert_eq!(world.queue.running()["id"], *render);
    assert_eq!(world.queue.turn(&render, false), Turn::GoOn);
    // It has no row on the page.
    assert_eq!(world.queue.summary()["failed"], 0);
}

#[test]
fn rows_that_make_no_sense_are_said_and_stay() {
    let mut world = World::new();
    world.do_(&Asked::Add(None));
    let file = world._folder.path().join("library.sqlite");
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute("UPDATE jobs SET wanted = 'nothing'", []).unwrap();
    let (queue, said) = Queue::open(world.library.clone()).unwrap();
    assert!(queue.lock().jobs.is_empty());
    assert!(said.unwrap().contains("cannot be read: 1;"));
    assert_eq!(world.library.jobs(10).unwrap().len(), 1);
}
