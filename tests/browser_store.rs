//! The page's store in headless Chromium: what is written comes back, whatever the database was and whoever else writes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]
#![cfg(all(target_arch = "wasm32", feature = "page"))]

use gloo::timers::future::TimeoutFuture;
use peft_lab::ui::state::{Action, Ask, Head, OwnFiles, Record, Said, Unkept};
use peft_lab::ui::store::Store;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::*;
use yew::Callback;

wasm_bindgen_test_configure!(run_in_browser);

/// A tab of the page: its store, and what that has said.
struct Tab {
    store: Store,
    said: Rc<RefCell<Vec<Said>>>,
}

impl Tab {
    fn open(database: &'static str, name: &str) -> Tab {
        let said = Rc::new(RefCell::new(Vec::new()));
        let hears = said.clone();
        let on = Callback::from(move |action| {
            if let Action::Store(what) = action {
                hears.borrow_mut().push(what);
            }
        });
        Tab { store: Store::open(database, name.into(), on), said }
    }

    /// Waits until the store has said something.
    async fn hears<T>(&self, look: impl Fn(&Said) -> Option<T>) -> T {
        for _ in 0..1000 {
            let place = self.said.borrow().iter().position(|said| look(said).is_some());
            if let Some(place) = place {
                return look(&self.said.borrow_mut().remove(place)).unwrap();
            }
            TimeoutFuture::new(10).await;
        }
        panic!("the store says nothing of the kind: {:?}", self.said.borrow());
    }

    async fn listed(&self) -> (Vec<Record>, Vec<OwnFiles>) {
        self.hears(|said| match said {
            Said::Listed { records, own, .. } => Some((records.clone(), own.clone())),
            _ => None,
        })
        .await
    }

    async fn recalled(&self, key: &str) -> (String, Option<Vec<u8>>) {
        self.store.ask(Ask::Recall { key: key.into(), run: 9 });
        self.hears(|said| match said {
            Said::Recalled { run: 9, text, tensors } => Some((text.clone(), tensors.clone())),
            _ => None,
        })
        .await
    }

    async fn claims(&self, key: &str) -> bool {
        self.store.ask(Ask::Claim { key: key.into(), run: 7 });
        self.hears(|said| if let Said::Claimed { run: 7, granted } = said { Some(*granted) } else { None }).await
    }

    /// A run of which a snapshot is kept.
    fn keeps(&self, key: &str, tab: &str, live: bool, tensors: &[u8]) {
        let head = Head { schema: 1, tab: tab.into(), live, bytes: tensors.len() as u64, ..Head::default() };
        self.store.ask(Ask::Begin { key: key.into(), head: head.clone(), goes_on: false });
        let (text, tensors) = ("one\n".to_string(), Rc::new(tensors.to_vec()));
        self.store.ask(Ask::Whole { key: key.into(), head, text, tensors });
    }
}

fn head(record: &Record) -> Head {
    serde_json::from_str(&record.head).unwrap()
}

/// What a script's promise comes to.
async fn script(text: &str) -> String {
    let promise: js_sys::Promise = js_sys::eval(text).unwrap().into();
    JsFuture::from(promise).await.unwrap().as_string().unwrap_or_default()
}

#[wasm_bindgen_test]
async fn what_is_written_comes_back_until_it_is_taken_out() {
    let first = Tab::open("store-there-and-back", "a");
    assert!(first.listed().await.0.is_empty());
    first.keeps("a-1", "a", true, b"phi");
    first.keeps("a-2", "a", false, &[7; 100_000]);
    first.store.ask(Ask::Lines { key: "a-1".into(), text: "two\n".into() });
    first.store.ask(Ask::Page("{}".into()));
    // What was asked for last is written once this has been answered.
    assert_eq!(first.recalled("a-1").await, ("one\ntwo\n".into(), Some(b"phi".to_vec())));

    let next = Tab::open("store-there-and-back", "b");
    let (records, _) = next.listed().await;
    assert_eq!(records.iter().map(|record| &*record.key).collect::<Vec<_>>(), ["a-1", "a-2"]);
    assert_eq!((records[0].text.as_str(), head(&records[0]).live), ("one\ntwo\n", true));
    assert_eq!(next.recalled("a-2").await.1.unwrap().len(), 100_000);
    next.store.ask(Ask::Erase(vec!["a-2".into()]));
    assert_eq!(next.recalled("a-2").await, (String::new(), None));
    // The other tab hears of it.
    let gone = |said: &Said| if let Said::Changed { gone, .. } = said { gone.first().cloned() } else { None };
    assert_eq!(&*first.hears(gone).await, "a-2");
    // A run rests, and only the tab that trains it can say so.
    next.store.ask(Ask::Rest("a-1".into()));
    first.store.ask(Ask::Rest("a-1".into()));
    first.recalled("a-1").await;
    assert!(!head(&Tab::open("store-there-and-back", "c").listed().await.0[0]).live);
}

#[wasm_bindgen_test]
async fn undo_is_written_in_the_event_itself_and_never_behind_a_removal() {
    let tab = Tab::open("store-undo", "a");
    tab.listed().await;
    for key in ["a-1", "a-2"] {
        tab.keeps(key, "a", false, b"phi");
    }
    tab.recalled("a-2").await;
    let back = |key: &str| (key.into(), Head { schema: 1, tab: "a".into(), bytes: 3, ..Head::default() });
    // Both within one turn: the removal has not begun.
    tab.store.ask(Ask::Recall { key: "a-1".into(), run: 3 });
    tab.store.ask(Ask::Remove(vec!["a-1".into(), "a-2".into()]));
    tab.store.ask(Ask::Back(vec![back("a-1")]));
    tab.recalled("a-1").await;
    let (records, _) = Tab::open("store-undo", "b").listed().await;
    assert_eq!(records.iter().map(|record| head(record).removed).collect::<Vec<_>>(), [false, true]);
    // And where it was written long before.
    tab.store.ask(Ask::Back(vec![back("a-2")]));
    let (records, _) = Tab::open("store-undo", "c").listed().await;
    assert!(records.iter().all(|record| !head(record).removed && record.text == "one\n"));
}

/// The head of a run of tab `a`.
const HEAD: &str = r#"{"schema":1,"tab":"a","bytes":3}"#;

#[wasm_bindgen_test]
async fn an_undo_whose_transaction_was_lost_with_its_tab_is_written_by_the_next_one() {
    let tab = Tab::open("store-undo-lost", "a");
    tab.listed().await;
    for key in ["a-1", "a-2"] {
        tab.keeps(key, "a", false, b"phi");
    }
    tab.store.ask(Ask::Remove(vec!["a-1".into(), "a-2".into()]));
    tab.recalled("a-2").await;
    // As the tab left it: the note is there, the transaction was taken back. One run is no longer there.
    let storage = web_sys::window().unwrap().local_storage().unwrap().unwrap();
    let note = |key: &str| storage.get_item(&format!("store-undo-lost-undone/{key}")).unwrap();
    for (key, text) in [("a-1", HEAD), ("a-9", HEAD), ("a-2", "of another version")] {
        storage.set_item(&format!("store-undo-lost-undone/{key}"), text).unwrap();
    }
    let (records, _) = Tab::open("store-undo-lost", "b").listed().await;
    let found: Vec<_> = records.iter().map(|record| (&*record.key, head(record).removed)).collect();
    assert_eq!(found, [("a-1", false), ("a-2", true)]);
    assert_eq!((note("a-1"), note("a-9")), (None, None));
    // An Undo is noted in its own event, till it is written; what is removed afterwards stays so.
    let back = |tab: &Tab| {
        let head = Head { schema: 1, tab: "a".into(), bytes: 3, ..Head::default() };
        tab.store.ask(Ask::Back(vec![("a-2".into(), head)]));
    };
    back(&tab);
    assert_eq!(note("a-2").as_deref(), Some(HEAD));
    let (records, _) = Tab::open("store-undo-lost", "c").listed().await;
    assert!(!head(&records[1]).removed);
    assert_eq!(note("a-2"), None);
    back(&tab);
    tab.store.ask(Ask::Remove(vec!["a-2".into()]));
    tab.recalled("a-2").await;
    assert_eq!(note("a-2"), None);
    let (records, _) = Tab::open("store-undo-lost", "d").listed().await;
    assert!(head(&records[1]).removed);
}

#[wasm_bindgen_test]
async fn a_database_of_the_first_version_is_taken_over_with_all_that_it_holds() {
    script(
        "new Promise((done, fail) => { const open = indexedDB.open('store-first-version', 1); open.onerror = fail; \
         open.onupgradeneeded = () => ['heads', 'texts', 'lines', 'states', 'page'].forEach(s => open.result.createObjectStore(s)); \
         open.onsuccess = () => { const write = open.result.transaction(['heads', 'texts'], 'readwrite'); \
           write.objectStore('heads').put('{\"schema\":1,\"tab\":\"old\",\"bytes\":0}', 'old-1'); \
           write.objectStore('texts').put('one\\n', 'old-1'); \
           write.oncomplete = () => { open.result.close(); done(''); }; }; })",
    )
    .await;
    let tab = Tab::open("store-first-version", "a");
    let (records, _) = tab.listed().await;
    assert_eq!((&*records[0].key, records[0].text.as_str(), head(&records[0]).live), ("old-1", "one\n", false));
    assert!(tab.claims("old-1").await);
    assert_eq!(keep(&tab, "data/own/a.json", 100, "abc").await, (3, Ok(())));
}

#[wasm_bindgen_test]
async fn a_database_of_a_later_version_is_left_alone_and_an_open_one_gives_way() {
    let open = |version: u32| {
        format!(
            "new Promise((done, fail) => {{ const open = indexedDB.open('store-later-version', {version}); open.onerror = fail; \
             open.onblocked = () => fail(new Error('blocked')); \
             open.onsuccess = () => {{ const v = String(open.result.version); open.result.close(); done(v); }}; }})"
        )
    };
    let before = Tab::open("store-later-version", "a");
    before.listed().await;
    // A page of tomorrow does not wait for this one.
    assert_eq!(script(&open(9)).await, "9");
    let nothing = |said: &Said| if let Said::Nothing(why) = said { Some(why.clone()) } else { None };
    before.store.ask(Ask::Page("{}".into()));
    assert!(before.hears(nothing).await.contains("later version"));
    let after = Tab::open("store-later-version", "b");
    assert!(after.hears(nothing).await.contains("load the page again"));
    assert_eq!(script(&open(9)).await, "9");
}

#[wasm_bindgen_test]
async fn a_full_store_says_so_and_takes_the_next_that_fits() {
    let tab = Tab::open("store-full", "a");
    tab.listed().await;
    tab.keeps("a-1", "a", true, b"old");
    tab.recalled("a-1").await;
    js_sys::eval(
        "window.whole = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = function (value, key) { \
         if (this.name === 'states' || this.name === 'files') throw new DOMException('full', 'QuotaExceededError'); \
         return window.whole.call(this, value, key); }",
    )
    .unwrap();
    let head = Head { schema: 1, tab: "a".into(), bytes: 3, ..Head::default() };
    let whole = |bytes: &[u8]| Ask::Whole {
        key: "a-1".into(),
        head: head.clone(),
        text: "new\n".into(),
        tensors: Rc::new(bytes.to_vec()),
    };
    tab.store.ask(whole(b"new"));
    tab.hears(|said| (*said == Said::Full).then_some(())).await;
    assert_eq!(keep(&tab, "data/own/a.json", 100, "abc").await, (3, Err(Unkept::NoRoom)));
    js_sys::eval("IDBObjectStore.prototype.put = window.whole").unwrap();
    // What was there before is there still.
    assert_eq!(tab.recalled("a-1").await, ("one\n".into(), Some(b"old".to_vec())));
    tab.store.ask(whole(b"now"));
    assert_eq!(tab.recalled("a-1").await, ("new\n".into(), Some(b"now".to_vec())));
}

/// Keeps a file that has an address of this page.
async fn keep(tab: &Tab, id: &str, most: u64, text: &str) -> (u64, Result<(), Unkept>) {
    let address = js_sys::eval(&format!("URL.createObjectURL(new Blob(['{text}']))")).unwrap().as_string().unwrap();
    let (about, files) = ("{}".into(), vec![(id.to_string(), address)]);
    tab.store.ask(Ask::KeepOwn { id: id.into(), about, files, most });
    tab.hears(|said| if let Said::OwnKept { bytes, kept, .. } = said { Some((*bytes, *kept)) } else { None }).await
}

#[wasm_bindgen_test]
async fn a_visitor_s_files_come_back_byte_by_byte_until_they_are_let_go_of() {
    let first = Tab::open("store-own", "a");
    first.listed().await;
    assert_eq!(keep(&first, "data/own/one.json", 100, "one").await, (3, Ok(())));
    assert_eq!(keep(&first, "data/own/two.json", 100, "two and more").await, (12, Ok(())));
    assert_eq!(keep(&first, "data/own/large.json", 4, "large").await, (5, Err(Unkept::TooLarge)));
    let next = Tab::open("store-own", "b");
    let (_, own) = next.listed().await;
    let found: Vec<_> = own.iter().map(|own| (own.id.as_str(), own.files[0].0.as_str(), own.files[0].2)).collect();
    let (one, two) = ("data/own/one.json", "data/own/two.json");
    assert_eq!(found, [(one, one, 3), (two, two, 12)]);
    assert_eq!(script(&format!("fetch('{}').then(r => r.text())", own[1].files[0].1)).await, "two and more");
    // A tab that is open hears of what comes, once.
    assert_eq!(keep(&first, "data/own/three.json", 100, "three").await, (5, Ok(())));
    let new =
        |said: &Said| if let Said::Changed { own, .. } = said { own.first().map(|own| own.id.clone()) } else { None };
    assert_eq!(next.hears(new).await, "data/own/three.json");
    next.store.ask(Ask::ForgetOwn(vec![two.into()]));
    next.store.ask(Ask::List);
    assert!(next.listed().await.1.is_empty(), "it knows of all that is there");
    let (_, own) = Tab::open("store-own", "c").listed().await;
    assert_eq!(own.iter().map(|own| own.id.as_str()).collect::<Vec<_>>(), [one, "data/own/three.json"]);
}

#[wasm_bindgen_test]
async fn of_two_tabs_that_want_a_run_one_gets_it() {
    for database in ["store-claim-one", "store-claim-two"] {
        let (first, second) = (Tab::open(database, "a"), Tab::open(database, "b"));
        first.listed().await;
        second.listed().await;
        first.keeps("x-1", "closed long ago", true, b"phi");
        first.recalled("x-1").await;
        let (one, other) = (first.claims("x-1"), second.claims("x-1"));
        let granted = futures_both(one, other).await;
        assert!(granted.0 != granted.1, "{granted:?}");
        // It rests where it was, and the other one has it.
        let (holder, waiting) = if granted.0 { (&first, &second) } else { (&second, &first) };
        assert!(!waiting.claims("x-1").await);
        holder.store.ask(Ask::Rest("x-1".into()));
        holder.recalled("x-1").await;
        assert!(waiting.claims("x-1").await && !holder.claims("x-1").await);
    }
}

#[wasm_bindgen_test]
async fn without_locks_tabs_answer_each_other() {
    js_sys::eval("Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true })").unwrap();
    let first = Tab::open("store-no-locks", "lockless-a");
    first.listed().await;
    first.keeps("a-1", "lockless-a", true, b"phi");
    first.keeps("x-1", "lockless-closed", true, b"phi");
    first.recalled("x-1").await;
    let second = Tab::open("store-no-locks", "lockless-b");
    let tabs = |said: &Said| if let Said::Listed { tabs, .. } = said { Some(tabs.clone()) } else { None };
    assert_eq!(second.hears(tabs).await, ["lockless-a"]);
    assert!(!second.claims("a-1").await, "it trains in a tab that is open");
    assert!(second.claims("x-1").await, "that tab does not answer");
    js_sys::eval("delete navigator.locks").unwrap();
    assert!(js_sys::eval("navigator.locks !== undefined").unwrap().is_truthy());
}

/// Both answers, asked for in one turn.
async fn futures_both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(move |context| {
        use std::task::Poll;
        if first.is_none()
            && let Poll::Ready(answer) = one.as_mut().poll(context)
        {
            first = Some(answer);
        }
        if second.is_none()
            && let Poll::Ready(answer) = other.as_mut().poll(context)
        {
            second = Some(answer);
        }
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (first, second) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}
