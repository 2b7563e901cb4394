//! Sentences about what happened, each once, with the way on.

use crate::ui::state::{Action, Notice, NoticeTone, Remedy};
use yew::prelude::*;

/// What the notices are drawn from.
#[derive(Properties, PartialEq)]
pub struct NoticesProps {
    pub notices: Vec<Notice>,
    pub on: Callback<Action>,
}

/// All notices that have not been dismissed.
#[component]
pub fn Notices(props: &NoticesProps) -> Html {
    let notice = |notice: &Notice| {
        let id = notice.id;
        let dismiss = {
            let on = props.on.clone();
            Callback::from(move |_| on.emit(Action::Dismiss(id)))
        };
        let remedy = notice.remedy.map(|remedy| {
            let on = props.on.clone();
            let onclick = Callback::from(move |_| on.emit(Action::Remedy(id, remedy)));
            let class = (remedy == Remedy::Undo).then_some("undo");
            html! { <button type="button" {class} {onclick}>{ remedy.title() }</button> }
        });
        let (class, role) = match notice.tone {
            NoticeTone::Fault => ("notice bad", "alert"),
            NoticeTone::Info => ("notice", "status"),
        };
        html! {
            <div key={id} {class} {role}>
                <p>{ &notice.text }</p>
                { remedy }
                <button type="button" class="dismiss" aria-label="Dismiss" title="Dismiss" onclick={dismiss}>{ "×" }</button>
            </div>
        }
    };
    html! { <div class="notices">{ for props.notices.iter().map(notice) }</div> }
}
