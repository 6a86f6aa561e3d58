"""The words by which clutter and walls are told, in the languages that newsrooms here write.

Marks are words of ``class`` and ``id``; phrases are what readers read. Each is a regular expression.
"""

from __future__ import annotations

import re

from lxml.html import HtmlElement


def marks(table: str) -> re.Pattern[str]:
    """A pattern that finds one of the words in a class or an id: ``share`` is in ``share-bar``, not in ``shared``."""
    return re.compile(rf"(?<![a-z])(?:{'|'.join(table.split())})(?![a-z])", re.IGNORECASE)


def phrases(table: str, start: str = "") -> re.Pattern[str]:
    """A pattern that finds one of the phrases, a line each, behind ``start``."""
    return re.compile(f"{start}(?:{'|'.join(line.strip() for line in table.strip().splitlines())})", re.IGNORECASE)


def marks_of(element: HtmlElement, *more: str) -> str:
    """The class and the id of an element, and the attributes ``more``: words that say what it is, at most 300 signs."""
    return " ".join(element.get(name) or "" for name in ("class", "id", *more))[:300]


CLUTTER = marks(
    r"""
    shar(?:e|ing)(?:-?_?(?:bar|tools|buttons?|links?|daddy))? sharedaddy
    social(?:-?_?(?:bar|links?|share|media|icons?))? related[\w-]* recirc\w* recommend\w*
    newsletters?[\w-]* sign-?_?up[\w-]* subscri\w+[\w-]* promos?[\w-]* promotion
    advert\w* ads?(?:-?_?(?:slot|unit|wrapper|container|label|block|text|box|banner))? ad-\w+ dfp\w*
    sponsor\w* outbrain taboola comments?(?:-?_?(?:area|list|section|link|count))? disqus\w* respond
    cookies?[\w-]* consent\w* gdpr breadcrumbs? tag-?_?(?:list|cloud|links) tags(?:-links)?
    topics?(?:-?_?list)? keywords author-?_?(?:bio|box|info|card|about|profile|description)
    about-?_?(?:the-?)?author bio(?:graphy|box)? by-?_?lines? date-?_?line time-?stamp pub-?date entry-?_?meta
    post-?_?meta article-?_?meta story-?_?meta meta-?data posted-on entry-footer toolbar tool-?box print-?only
    no-?print popup modal overlay lightbox-?\w* menu[\w-]* nav[\w-]* navigation pagination pager
    post-nav\w* side-?bar widgets?[\w-]* most-?_?(?:read|popular|viewed) popular(?:-?_?posts)? trending
    read-?_?(?:more|next|also|on)[\w-]* also-?_?read
    more-?_?(?:on|from|stories|news|about|like)[\w-]*
    inline-?_?(?:link|related|promo|newsletter)[\w-]* you-?may-?like next-?_?(?:article|story|up)
    up-?next screen-?reader-?text visually-?hidden sr-?only off-?screen skip-?(?:link|to) player[\w-]* audio-?\w*
    listen[\w-]* donat\w+ support-?us membership paywall\w* call-?to-?action cta jp-relatedposts
    wp-block-(?:button|latest|query|social|search|subscri)\w* sharrre addthis\w* a2a\w* addtoany\w* ssba\w*
    yarpp\w* crp_related mc4wp\w* kg-(?:signup|button|product|cta)\w* footer[\w-]* corrections?-?link
    comentarios? kommentare? commentaires?
    voting vote ratings? reactions? likes? feedback edit-?section editsection toc table-of-contents infobox
    navbox reflist catlinks mw-jump-link hatnote copyright teaser-?(?:list|box) slot banner app-?download
    follow(?:-?us|-?\w+)? print-?info buttons? icons? hidden utility-?bar[\w-]* util-?bar[\w-]*
    video-?_?(?:resource|playlist|carousel|meta|title|headline|details|duration|credit|(?:full-)?transcript)[\w-]*
    """
)
"""Elements with such a class are not the story, wherever they stand in it."""

UNSEEN = marks(
    r"screen-?reader-?text visually-?hidden sr-?only off-?screen skip-?link edit-?section mw-editsection[\w-]* hidden"
    r" icons?"
)
"""Such a class says that readers do not see the words, or need not, also within a sentence."""

SURE_CLUTTER = marks(
    r"""
    comments? comentarios? kommentare? commentaires? disqus\w* respond related[\w-]* recirc\w* newsletters?[\w-]*
    cookies? consent\w* outbrain taboola sharedaddy breadcrumbs? most-?_?(?:read|popular|viewed) jp-relatedposts
    """
)
"""Such a class is believed whatever other evidence says."""

NOT_CLUTTER = marks(
    r"""
    has-[\w-]* no-(?:sidebar|comments|ads)[\w-]* single[\w-]* (?:with|without)-[\w-]*
    elementor-widget(?:-(?:wrap|container|text-editor|heading|image|theme-post-content|video|icon-list))?(?![\w-])
    [\w-]*-(?:enabled|disabled|visible) type-\w+ status-\w+ format-\w+ category-[\w-]+ tag-[\w-]+ postid-\d+
    post-\d+
    """
)
"""Words of classes that only name a layout or a category, and would be mistaken for clutter."""

LABELS = frozenset(
    line.strip()
    for line in """
    advertisement
    advertisements
    advertising
    ad
    anzeige
    werbung
    publicité
    publicidad
    pubblicità
    publicidade
    広告
    广告
    廣告
    विज्ञापन
    જાહેરાત
    اشتہار
    إعلان
    advertisement - scroll to continue
    story continues below advertisement
    article continues below advertisement
    continue reading below
    skip advertisement
    scroll to continue with content
    article continues after advertisement
    loading...
    loading
    share
    share this
    share this article
    share this story
    comments
    print
    email
    teilen
    drucken
    partager
    imprimer
    compartir
    शेयर करें
    شیئر کریں
    分享
    シェア
    tweet
    facebook
    twitter
    whatsapp
    copy link
    link kopieren
    image
    play video
    view gallery
    read more
    show more
    mehr
    weiterlesen
    lire la suite
    leer más
    और पढ़ें
    """.strip().splitlines()
)
"""Lines that are a label or a button, in lower case without marks at their end."""

RELATED = phrases(
    r"""
    also read
    read also
    read more
    read next
    read:
    see also
    related(?: (?:stories|articles|story|article|news|coverage|reading|topics|posts|content))?\s*[:|]
    related(?: (?:stories|articles|news|coverage|topics|posts))$
    more on this
    more from
    more:
    don't miss
    recommended(?: (?:for you|stories|reading))?\s*:?$
    editors?[’']?s? (?:recommendations?|picks?|choice)\s*:?$
    you may also like
    watch:
    watch more
    listen:
    explore more
    from the archives?:
    in case you missed
    lesen sie (?:auch|mehr|hier)
    lesen sie dazu
    mehr zum thema
    mehr dazu
    das könnte sie auch interessieren
    auch interessant
    siehe auch
    zum thema:
    lire aussi
    à lire aussi
    a lire aussi
    lire également
    à lire également
    sur le même (?:thème|sujet)
    voir aussi
    lee también
    lea también
    leer también
    te puede interesar
    más información
    lea más
    ver también
    leia (?:também|mais)
    leggi anche
    lees ook
    læs også
    läs också
    les også
    यह भी पढ़ें
    ये भी पढ़ें
    इसे भी पढ़ें
    આ પણ વાંચો
    یہ بھی پڑھیں
    مزید پڑھیں
    اقرأ أيضا
    اقرأ ايضا
    إقرأ أيضا
    相关阅读
    相關新聞
    延伸閱讀
    关联阅读
    関連記事
    あわせて読みたい
    もっと読む
    """,
    start=r"^[\W_]{0,4}",
)
"""Lines that lead to other stories begin like this."""

SIGN_UP = phrases(
    r"""
    sign up (?:for|to|here|now)
    subscribe (?:to|now|here|today)
    get (?:our|the) .{0,40}newsletter
    (?:join|follow) us on
    follow .{2,40} on (?:twitter|facebook|instagram|x|whatsapp|telegram)
    download (?:our|the) .{0,20}app
    click here to
    tap here to
    newsletter (?:abonnieren|bestellen)
    abonnieren sie
    folgen sie uns
    inscrivez-vous
    abonnez-vous
    suivez-nous
    suscríbe(?:te|ase)
    síguenos
    sigue a
    iscriviti
    have a (?:story|tip)
    got a (?:story|tip)
    comments? (?:on|below)
    tags?:
    filed under
    topics?:
    schlagwörter
    schlagworte
    stichwörter
    share (?:this|on|via)
    with inputs? from our
    view comments
    leave a (?:comment|reply)
    support (?:our|independent) journalism
    this (?:email|form) (?:will|is)
    by (?:signing up|subscribing|submitting)
    all rights reserved
    copyright ©
    © ?\d{4}
    हमसे जुड़ें
    हमें फॉलो
    """,
    start=r"^[\W_]{0,4}",
)
"""Lines that ask the reader for something begin like this."""

CREDITS = phrases(
    r"""
    (?:additional |with )?(?:reporting|editing|writing|research|translation) by
    contribut(?:ing|ed|ors?)(?: to this| by|:)
    (?:mitarbeit|mit material|aus dem .{3,20} übersetzt|text und fotos?|traduit|traduction|traducción|con información)\b
    [（(【\[]?\s?(?:责任编辑|責任編輯|编辑|編輯|记者|記者)
    """,
    start=r"^[\W_]{0,4}",
)
"""Last lines that say who else worked on a story begin like this."""

DATE_LINE = phrases(
    r"""
    (?:first )?(?:published|updated|posted|last updated|last modified)\b.{0,80}$
    (?:stand|veröffentlicht|aktualisiert|publié|mis à jour|actualizado|publicado)\b.{0,80}$
    (?:\w{3,9},? )?\d{1,2}[. ]\s?\w{3,9}\.?,? \d{4}.{0,30}$
    (?:\w{3,9},? )?[A-Z][a-z]{2,8}\.? \d{1,2},? \d{4}.{0,30}$
    \d{1,2}[./-]\d{1,2}[./-]\d{2,4}.{0,40}$
    \d{4}-\d\d-\d\d.{0,20}$
    \d{1,2} min(?:ute)?s? read$
    \d{1,2} (?:hours?|minutes?|days?) ago$
    """,
    start="^",
)
"""A line that is a date, or says when the page was changed, and nothing else."""

LOGIN = phrases(
    r"""
    \blog ?in\b
    \bsign ?in\b
    \blog on\b
    \bsign on\b
    \banmelden\b
    \beinloggen\b
    \bse connecter\b
    \bconnexion\b
    \biniciar sesión\b
    \binicia sesión\b
    \baccedi\b
    \binloggen\b
    \bcreate (?:an |your )?account\b
    \bregister\b
    \bforgot (?:your )?password\b
    \bsingle sign-on\b
    \bmember login\b
    लॉग ?इन
    لاگ ان
    تسجيل الدخول
    登录
    登入
    ログイン
    """,
)
"""Pages to sign in say this."""

COOKIES = phrases(
    r"""
    \bcookies?\b
    \bconsent\b
    \beinwilligung\b
    \bdatenschutz\b
    \btracking\b
    \bconsentement\b
    \bconsentimiento\b
    \bprivacy (?:settings|choices)\b
    """,
)
"""Questions about cookies say this."""

ACCEPT = phrases(
    r"""
    \b(?:accept|agree|allow|reject)\b
    \b(?:akzeptieren|zustimmen|ablehnen|einverstanden)\b
    \b(?:accepter|refuser|aceptar|rechazar|accetta|aceitar)\b
    """,
)
"""What a question about cookies lets one answer."""

GONE = phrases(
    r"""
    \b404\b
    (?:page|article|story|content|post) (?:was |is |could |can)?\s?(?:not|no longer|n't be) (?:be )?(?:found)
    (?:page|article|story|content|post) (?:was |is |could |can)?\s?(?:not|no longer|n't be) (?:be )?(?:available)
    (?:page|article|story|content|post) (?:was |is |could |can)?\s?(?:not|no longer|n't be) (?:be )?(?:exists?)
    page (?:doesn.t|does not) exist
    (?:nothing|not) found
    no longer (?:exists|available)
    couldn.t find (?:that|this|the) page
    seite (?:wurde )?nicht gefunden
    nicht (?:mehr )?(?:gefunden|verfügbar)
    page (?:introuvable|non trouvée)
    página no (?:encontrada|existe)
    pagina non trovata
    página não encontrada
    पेज नहीं मिला
    पृष्ठ नहीं मिला
    صفحہ نہیں ملا
    الصفحة غير موجودة
    页面不存在
    找不到(?:页面|網頁)
    ページが見つかりません
    """,
)
"""Pages that stand for a missing one say this."""

ROBOT = phrases(
    r"""
    just a moment
    checking your browser
    verify(?:ing)? (?:that )?you are (?:a )?human
    are you a robot
    attention required
    access denied
    enable javascript and cookies
    captcha
    unusual traffic
    request blocked
    pardon our interruption
    """,
)
"""Pages that keep programs out say this."""

SCRIPTED = phrases(
    r"""
    (?:enable|requires?|turn on|activate|needs?) java ?script
    javascript (?:is )?(?:required|disabled|deaktiviert|aktivieren|désactivé)
    you need to enable javascript
    """,
)
"""Pages that a script would write say this."""

PAYWALL = phrases(
    r"""
    (?:subscribe|sign in|log in|register|become a (?:member|subscriber)) (?:now )?(?:to|and) (?:continue|read)
    (?:subscribe|sign in|log in|register|become a (?:member|subscriber)) (?:now )?(?:to|and) (?:keep|unlock|access)
    subscribers? only
    only (?:available )?(?:to|for) subscribers
    this (?:article|post|story) is (?:for|only)
    already a subscriber
    weiterlesen mit
    jetzt abonnieren
    nur für abonnenten
    réservé aux abonnés
    article réservé
    solo para suscriptores
    suscríbe(?:te|ase) para
    upgrade to (?:paid|read)
    keep reading with
    for (?:paid|paying) subscribers
    """,
)
"""Pages that show only the beginning of a story say this."""
