//! What of the visitor's own the browser keeps, in the dialog for what they bring.

use crate::ledger::bytes;
use crate::ui::state::{Action, Bringing, Own, State};
use yew::prelude::*;

/// The part of the dialog that lists it, with its bytes; nothing where nothing is kept.
pub struct KeptOwn;

impl KeptOwn {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        // The page is drawn many times a second, and hardly ever with this dialog.
        if !state.bring.open {
            return html! {};
        }
        let kept = state.own_in_store();
        let (runs, of_runs) = state.runs_in_store();
        if kept.is_empty() && runs == 0 {
            return html! {};
        }
        let phi = (runs > 0).then(|| {
            html! { <p>{ format!("{} with {} of φ.", counted(runs), bytes(of_runs)) }</p> }
        });
        let note = (!kept.is_empty()).then(|| {
            html! { <p class="caption">{ "What no run uses goes by itself when the page opens. What you remove can be used until the page is closed; after that, runs on it answer once you bring it again." }</p> }
        });
        html! {
            <section class="kept" aria-label="Kept in this browser">
                <h3>{ "Kept in this browser" }</h3>
                <table><tbody>{ for kept.into_iter().map(|(own, runs)| row(own, runs, on)) }</tbody></table>
                { phi }
                { note }
            </section>
        }
    }
}

fn row(own: &Own, runs: usize, on: &Callback<Action>) -> Html {
    let onclick = {
        let (on, id) = (on.clone(), own.id.clone());
        Callback::from(move |_: MouseEvent| on.emit(Action::Bring(Bringing::Forget(id.clone()))))
    };
    html! {
        <tr key={own.id.clone()}>
            <th scope="row">{ &own.title }</th>
            <td>{ format!("{}, {}", bytes(own.bytes), counted(runs)) }</td>
            <td><button type="button" class="link" aria-label={format!("Do not keep {}", own.title)} {onclick}>{ "Do not keep" }</button></td>
        </tr>
    }
}

fn counted(runs: usize) -> String {
    match runs {
        0 => "no run".into(),
        1 => "1 run".into(),
        n => format!("{n} runs"),
    }
}
