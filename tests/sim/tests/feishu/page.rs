//! The page on which the messages are drawn.

use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn an_empty_group_has_a_page_too() {
    assert!(Server::open().await.page().await.contains("No messages yet"));
}

#[tokio::test]
async fn markup_that_is_sent_as_markup_acts_on_the_page() {
    let server = Server::open().await;
    let content = "**a** [b](https://example.com) <at id=all></at> :OK:";
    let card = json!({ "msg_type": "interactive", "card": {
        "schema": "2.0",
        "header": { "title": { "tag": "plain_text", "content": "1 < 2" }, "template": "red" },
        "body": { "elements": [{ "tag": "markdown", "content": content }] },
    } });
    assert_eq!(server.code(&card).await, 0);
    let page = server.page().await;
    assert!(
        page.contains("<header class=\"header red\"><h3 class=\"title\">1 &lt; 2</h3></header>"),
        "{page}"
    );
    for act in ["bold", "link", "mention", "emoji"] {
        assert!(page.contains(&format!("data-acts=\"{act}\"")), "{act}");
    }
}

#[tokio::test]
async fn nothing_in_a_message_becomes_html() {
    let server = Server::open().await;
    let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
    let card = json!({ "msg_type": "interactive", "card": {
        "schema": "1.0",
        "header": { "title": { "tag": "plain_text", "content": hostile }, "template": hostile },
        "body": { "elements": [{ "tag": "markdown", "content": hostile, "text_size": hostile }] },
    } });
    assert_eq!(server.code(&card).await, 0);
    let post = json!({ "msg_type": "post", "content": { "post": { "zh_cn": { "title": hostile, "content": [[
        { "tag": "a", "text": hostile, "href": hostile }, { "tag": "at", "user_id": hostile }, { "tag": "img", "image_key": hostile },
    ]] } } } });
    assert_eq!(server.code(&post).await, 0);
    let page = server.page().await;
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
}
