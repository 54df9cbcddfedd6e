//! The calls of a page, for a browser: memory in, memory out, and no logic.
//!
//! `alloc(length)` gives room for a request in UTF-8; `call(request, length)` takes it back and answers with the address of
//! the answer in the upper half of a 64-bit number and its length in the lower; `free(answer, length)` gives the answer back.

#![expect(unsafe_code, reason = "the browser and the module share nothing but memory")]

use std::cell::RefCell;
use std::ptr;

use whatcart::page::Page;

thread_local! {
    static PAGE: RefCell<Page> = RefCell::default();
}

/// Room for a request of this many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn alloc(length: usize) -> *mut u8 {
    Box::into_raw(vec![0u8; length].into_boxed_slice()).cast()
}

/// Answers a request, whose memory it takes back.
///
/// # Safety
///
/// `request` and `length` must come from [`alloc`], and not have been given back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn call(request: *mut u8, length: usize) -> u64 {
    // SAFETY: this is the slice that `alloc` leaked, by this function's contract.
    let request = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(request, length)) };
    let answer = PAGE.with_borrow_mut(|page| page.call(&String::from_utf8_lossy(&request)));
    let answer = answer.into_bytes().into_boxed_slice();
    let length = answer.len() as u64;
    (Box::into_raw(answer).cast::<u8>().addr() as u64) << 32 | length
}

/// Gives an answer back.
///
/// # Safety
///
/// `answer` and `length` must come from [`call`], and not have been given back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(answer: *mut u8, length: usize) {
    // SAFETY: this is the slice that `call` leaked, by this function's contract.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(answer, length)) });
}
