//! A base that is fetched when it is chosen: in parts that are checked, kept, and never fetched twice.

use e2e::{Fault, Lab};

const FILE: &str = "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const CHOSEN: &str = "base=smollm2&task=authors&device=cpu&steps=2";

/// A page on a site whose base is three parts of a megabyte, which are no GGUF file.
async fn lab() -> Lab {
    let lab = Lab::start(false).await;
    let part = |n: u8| (0..1 << 20).map(|i: u32| (i as u8).wrapping_mul(n)).collect();
    lab.server.offer_in_parts(FILE, &[part(3), part(5), part(7)]);
    lab
}

fn parts(lab: &Lab) -> [usize; 3] {
    [1, 2, 3].map(|n| lab.server.count(&format!("{n}.part")))
}

async fn note(lab: &Lab, text: &str) {
    lab.wait(&format!("document.querySelector('.base-note')?.innerText.includes('{text}')")).await;
}

#[tokio::test]
async fn a_base_is_fetched_when_it_is_wished_and_kept() {
    let lab = lab().await;
    lab.open("task=authors&device=cpu").await;
    lab.select("Base", "smollm2").await;
    note(&lab, "SmolLM2 is fetched once: 3 MB").await;
    assert_eq!(parts(&lab), [0; 3], "fetched before anybody wished it");

    // Broken off by the visitor while a part is on its way.
    lab.server.fail("2.part", Fault::Held);
    lab.press("Fetch now").await;
    note(&lab, "fetching SmolLM2: 1 of 3 MB").await;
    lab.press("Cancel").await;
    note(&lab, "1 of 3 MB of SmolLM2 are here").await;
    lab.server.heal();

    // A part that breaks, and one whose contents are others: neither is taken.
    for fault in [Fault::Broken, Fault::NotFound, Fault::Before("x")] {
        lab.server.fail("3.part", fault);
        lab.press("Fetch the rest").await;
        note(&lab, "Part 3 of 3 did not arrive as it should").await;
        note(&lab, "2 of 3 MB of SmolLM2 are here").await;
        lab.server.heal();
    }
    assert_eq!(parts(&lab)[0], 1, "what was here was fetched again");

    // After a reload what came is still here.
    lab.reopen(CHOSEN).await;
    note(&lab, "2 of 3 MB of SmolLM2 are here").await;
    lab.press("Fetch the rest").await;
    note(&lab, "SmolLM2 is kept by this browser").await;
    let fetched = parts(&lab);
    // The trainer reads it at once, and says what it is.
    lab.alert("SmolLM2 cannot be used").await;
    lab.reopen(CHOSEN).await;
    note(&lab, "SmolLM2 is kept by this browser").await;
    assert_eq!(parts(&lab), fetched, "kept, and fetched again");

    lab.press("Delete").await;
    note(&lab, "SmolLM2 is here until the page is closed").await;
    lab.reopen(CHOSEN).await;
    note(&lab, "SmolLM2 is fetched once").await;
    lab.close().await;
}

#[tokio::test]
async fn a_run_waits_for_its_base_and_stop_ends_both() {
    let lab = lab().await;
    lab.server.fail("3.part", Fault::Held);
    lab.open(CHOSEN).await;
    note(&lab, "SmolLM2 is fetched once").await;
    lab.press("Train").await;
    lab.wait("document.querySelector('.progress').innerText.includes('loading the base SmolLM2: 2 of 3 MB')").await;
    lab.press("Stop").await;
    note(&lab, "2 of 3 MB of SmolLM2 are here").await;
    lab.server.heal();
    lab.press("Train").await;
    let failed = lab.event("failed").await;
    assert!(failed["message"].as_str().unwrap().contains("SmolLM2"), "{failed}");
    lab.close().await;
}
