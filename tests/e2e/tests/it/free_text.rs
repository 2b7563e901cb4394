//! Free text on the built page: written in both columns, token by token, till the dialog is closed.

use e2e::Lab;

/// The text of a column, what was typed in front of it.
const COLUMN: &str = "[...document.querySelectorAll('dialog[open] .voice .text')].map(p => p.innerText)";

#[tokio::test]
async fn free_text_is_gone_on_with_side_by_side_and_ends_with_its_dialog() {
    let lab = Lab::start(false).await;
    lab.open("base=prose-nano&task=style&author=twain&method=lora&device=cpu").await;
    lab.wait("labEvents.some(e => e.event === 'ready')").await;
    lab.press("Write …").await;
    lab.eval(
        "(() => {
            const set = (node, text) => {
                Object.getOwnPropertyDescriptor(Object.getPrototypeOf(node), 'value').set.call(node, text);
                node.dispatchEvent(new InputEvent('input', {bubbles: true}));
            };
            set(document.querySelector('dialog[open] textarea'), 'It was a dark');
            set(document.querySelector('#free-tokens'), '12');
        })()",
    )
    .await;
    lab.eval("document.querySelector('dialog[open] .go').click()").await;
    lab.wait("labEvents.filter(e => e.event === 'wrote' && e.ended).length === 2").await;
    lab.wait(&format!("{COLUMN}.every(text => text.startsWith('It was a dark') && text.length > 20)")).await;
    // φ is at its start: both write the same.
    lab.wait(&format!("new Set({COLUMN}).size === 1")).await;
    assert_eq!(lab.eval("document.querySelectorAll('dialog[open] .next li').length").await, 10);
    assert_eq!(lab.eval("document.querySelector('dialog[open] [role=status]').innerText").await, "Both have ended.");
    lab.screenshot("free-text").await;
    // It writes another, which ends at the latest where the dialog is closed.
    lab.eval("document.querySelector('dialog[open] .go').click()").await;
    lab.wait("labEvents.filter(e => e.event === 'wrote').length > 30").await;
    lab.eval("document.querySelector('dialog[open]').close()").await;
    lab.wait("!document.querySelector('dialog[open]')").await;
    lab.wait("labEvents.filter(e => e.event === 'wrote' && e.ended).length === 4").await;
    lab.assert_clean().await;
    lab.close().await;
}
