//! An allocator that counts: what is in use, and the most that was.
//!
//! A binary that wants the figures makes it its own:
//! `#[global_allocator] static ALLOCATOR: Counting = Counting;`. In a browser the memory of a module only
//! grows, so its size says nothing about one step.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
pub struct Counting;

fn grew(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every call is the system allocator's; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let memory = unsafe { System.alloc(layout) };
        if !memory.is_null() {
            grew(layout.size());
        }
        memory
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let memory = unsafe { System.alloc_zeroed(layout) };
        if !memory.is_null() {
            grew(layout.size());
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) };
        LIVE.fetch_sub(layout.size(), Relaxed);
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let moved = unsafe { System.realloc(memory, layout, size) };
        if !moved.is_null() {
            grew(size);
            LIVE.fetch_sub(layout.size(), Relaxed);
        }
        moved
    }
}

/// Bytes in use; `None` where [`Counting`] is not the allocator.
pub fn live() -> Option<usize> {
    Some(LIVE.load(Relaxed)).filter(|bytes| *bytes > 0)
}

/// The most bytes in use since [`restart`].
pub fn peak() -> Option<usize> {
    live().map(|_| PEAK.load(Relaxed))
}

/// Begins to look for the most anew.
pub fn restart() {
    PEAK.store(LIVE.load(Relaxed), Relaxed);
}
