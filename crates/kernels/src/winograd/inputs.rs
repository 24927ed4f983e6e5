//! Transformed inputs of several tiles that all tasks share: where these divide the output's channels among them, none
//! transforms what another has transformed.

use std::ops::Range;

use super::panel::{Job, Panel, apart};
use crate::scratch::Scratch;
use crate::shared_ptr::SharedPtr;
use crate::threads::{even_tasks, part};
use crate::{Context, Vec16};

/// Vectors that the transformed inputs of so many tiles take.
pub(super) fn inputs_len(planes: usize, blocks: usize, tiles: usize) -> usize {
    planes * apart(blocks * tiles)
}

/// Inputs of some tiles, transformed.
pub(super) struct Inputs<'a> {
    job: &'a Job<'a>,
    tiles: Range<usize>,
    vectors: SharedPtr<Vec16>,
}

impl<'a> Inputs<'a> {
    /// Transforms those of `tiles` into `scratch`, which has [room](inputs_len) for them.
    pub(super) fn new(
        job: &'a Job<'a>,
        cx: &Context,
        tiles: Range<usize>,
        scratch: &'a mut Scratch,
    ) -> Self {
        let inputs = Self { job, tiles, vectors: SharedPtr::of_pointer(scratch.as_mut_ptr()) };
        let all = inputs.tiles.len();
        let parts = even_tasks(cx.threads().count()).min(all);
        cx.threads().for_each(parts, |task| {
            let own = part(task, parts, all);
            let own = inputs.tiles.start + own.start..inputs.tiles.start + own.end;
            // SAFETY: there is room for all tiles' inputs, and no two tasks have the same.
            unsafe {
                let panel = inputs.panel(own, std::ptr::null_mut(), 0);
                super::panel::inputs(job.conv.level, &panel);
            }
        });
        inputs
    }

    /// Some of the tiles, with `m` for their products, which has `m_plane` values between planes.
    pub(super) fn panel(&self, tiles: Range<usize>, m: *mut f32, m_plane: usize) -> Panel<'a> {
        let width = self.tiles.len();
        // Tiles come one after the other in each block.
        let first = self.vectors.get().wrapping_add(tiles.start - self.tiles.start);
        let v_plane = 16 * apart(self.job.xm.blocks() * width);
        Panel { job: self.job, tiles, v: first.cast(), width, m, v_plane, m_plane }
    }
}
