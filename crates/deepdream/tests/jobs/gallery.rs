//! Galleries: they go on where they stopped, and their pictures are dreams like others.

use deepdream::{CancelToken, Content, Event, Fault, GalleryJob, RecipeSource, StillJob, TermText};

use crate::room::{Room, quick};

fn job(room: &Room) -> GalleryJob {
    let mut job =
        GalleryJob { cell: Some(32), dream: quick(), ..GalleryJob::new(room.picture("a.png")) };
    job.dream.recipe.edits.retain(|edit| edit.path != "objective");
    job.dream.recipe.terms = vec![TermText::Layer("fire2/squeeze1x1:3+5+7+9".into())];
    job
}

#[test]
fn a_gallery_goes_on_where_it_stopped_and_is_the_same() {
    let (whole, stopped) = (Room::new(), Room::new());
    job(&whole).run(&(), &CancelToken::new()).unwrap();

    let cancel = CancelToken::new();
    let asked = cancel.clone();
    let stop = move |event| {
        if matches!(&event, Event::Wrote(wrote) if wrote.content == (Content::Cell { index: 1 })) {
            asked.cancel();
        }
    };
    let job = job(&stopped);
    let error = job.run(&stop, &cancel).unwrap_err();
    assert_eq!(error.fault(), Fault::Cancelled);
    assert!(!stopped.path("a.gallery.png").exists());
    let made = || std::fs::read_dir(stopped.path("a.gallery")).unwrap().count();
    assert_eq!(made(), 2);

    let (sender, events) = std::sync::mpsc::channel();
    job.run(&sender, &CancelToken::new()).unwrap();
    drop(sender);
    let cells = |event: &Event| matches!(event, Event::Wrote(wrote) if matches!(wrote.content, Content::Cell { .. }));
    assert_eq!(events.iter().filter(cells).count(), 2);
    let files = stopped.files();
    assert_eq!(files, whole.files());
    assert_eq!(files.len(), 2, "the picture and the sheet");
}

#[test]
fn pictures_that_were_made_otherwise_are_not_taken() {
    let room = Room::new();
    let kept = GalleryJob { cells: Some(room.path("cells")), ..job(&room) };
    kept.run(&(), &CancelToken::new()).unwrap();
    let mut other = GalleryJob { output: Some(room.path("b.png")), ..kept.clone() };
    other.run(&(), &CancelToken::new()).unwrap();
    other.dream.recipe.set("ascent.iterations", 1);
    other.output = Some(room.path("c.png"));
    let error = other.run(&(), &CancelToken::new()).unwrap_err();
    assert_eq!(error.fault(), Fault::Output);
    assert!(error.to_string().contains("was made by another recipe"), "{error}");
    let before = room.files();
    other.overwrite = true;
    other.run(&(), &CancelToken::new()).unwrap();
    let name = "cells/fire2_squeeze1x1_3.png".as_ref();
    assert_ne!(room.files()[name as &std::path::Path], before[name]);
}

#[test]
fn pictures_from_noise_are_dreams_on_the_noise_that_their_recipe_names() {
    let room = Room::new();
    let mut gallery = GalleryJob { photo: None, output: Some(room.path("n.png")), ..job(&room) };
    gallery.cells = Some(room.path("cells"));
    gallery.dream.recipe.set("noise_kind", "spectrum");
    gallery.run(&(), &CancelToken::new()).unwrap();
    let cell = room.path("cells/fire2_squeeze1x1_3.png");
    let mut again = StillJob { output: Some(room.path("again.png")), ..StillJob::default() };
    again.dream.recipe.base = Some(RecipeSource::File(cell.clone()));
    again.run(&(), &CancelToken::new()).unwrap();
    let open = |path| deepdream::Image::open(path).unwrap();
    assert_eq!(open(cell), open(room.path("again.png")));
}

#[test]
fn every_layer_looks_to_the_guide_that_is_given() {
    let room = Room::new();
    let mut gallery = GalleryJob { cells: Some(room.path("cells")), ..job(&room) };
    gallery.dream.recipe.terms.clear();
    gallery.dream.files.guides.insert("forms".into(), room.picture("guide.png"));
    gallery.run(&(), &CancelToken::new()).unwrap();
    let cell = room.path("cells/conv1.png");
    let text = deepdream::media::recipe_of(&cell, &Default::default()).unwrap();
    assert!(text.contains("guides = [\"forms\"]"), "{text}");
}
