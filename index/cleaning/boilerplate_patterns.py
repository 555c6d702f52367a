"""Regular expressions for lines of boilerplate, by kind, in the order in which they are tried.

Each one is searched in a single stripped line; ``^`` and ``$`` say which part of the line it must fill.
"""

from __future__ import annotations

import re

from index.cleaning.published import DATE

_AGENCY = (
    r"(?:(?:The )?Associated Press|AP(?: Photo| Images)?|AFP|EPA(?:-EFE)?|EFE|REUTERS|Reuters|Getty(?: Images)?"
    r"|GETTY IMAGES|Bloomberg|Shutterstock|Alamy(?: Stock Photo)?|PA(?: Wire| Images| Media)|Press Association|Xinhua"
    r"|TASS|Anadolu(?: Agency)?|NurPhoto|(?:ZUMA|Zuma) ?(?:PRESS|Press)|UPI|dpa|DPA|Kyodo(?: News)?|Yonhap|PTI|ANI|WANA"
    r"|iStock|Redux|Sipa(?: USA)?|SIPA|Imagn(?: Images)?|USA TODAY Sports|Imago|Unsplash|Pexels|Wikimedia Commons)"
)
_NAME = r"[A-Z][\w.'’-]*(?: [A-Z&][\w.'’-]*){0,4}"
_SLASHED = r"(?:/[A-Z][\w.'’& -]{1,40}){0,3}"
_PICTURE = r"(?:Photo(?:graph|s)?|Picture|Image|Illustration|Screenshot|AP Photo|PHOTO|IMAGE)"
_READ = (
    r"(?:also read|read also|see also|read more|read next|must read|read|related|lire aussi|lea tambi[ée]n"
    r"|lesen sie auch|mehr zum thema)(?: (?:about this|stories|story|articles?|news|coverage))?"
)
_LINKS_HEADING = (
    r"(?i:(?:similar|related|recommended|popular|latest|top|more|other|trending) (?:articles?|stories|posts?|news|reads"
    r"|topics|content|coverage|links|reading|videos)(?: to this post)?"
    r"|you (?:may|might) (?:also )?(?:like|be interested in)|recommended for you"
    r"|most (?:read|popular|viewed)|trending(?: now)?|related|read next|what to read next"
    r"|editors?['’]s? picks|more on this story|(?:explore )?more on these topics|keep reading|read more"
    r"|award banner|advertisements?)"
)
"""A heading over links to other stories; the last two may be glued to it."""

_SOCIAL = r"(?:Twitter|X|Face[Bb]ook|Instagram|Telegram|WhatsApp|Google News|LinkedIn|YouTube)"
_END = r"[\s.:–—-]*$"

_PATTERNS = {
    # The photographer alone; the line above may be the caption.
    "photo credit": (
        rf"^[(\[]?(?:via |[—–-] ?)?{_AGENCY}[)\].]*$",
        rf"^[(\[]?(?:File: )?{_NAME}{_SLASHED}(?:/| via ){_AGENCY}(?:/{_NAME})*(?: via {_AGENCY})?[)\]./]*$",
        r"^(?:PHOTO|PICTURE|IMAGE|CREDIT|Photo|Picture|Photograph|Image|Foto|Bild): ?\S.{0,150}$",
        r"^(?i:(?:photo|image|picture)s? (?:source|credits?|courtesy)\b).{0,120}$",
        rf"^[(\[]?{_PICTURE} (?:by|from|via|courtesy of) [A-Z][^.!?]{{2,100}}[)\].]*$",
    ),
    # A caption with its credit at the end, in brackets or in front.
    "caption": (
        rf"\b[A-Z][\w.'’)-]*{_SLASHED}/{_AGENCY}(?:/[A-Z]\w+(?: \w+)?)*(?: via {_AGENCY})?[)\]./]*$",
        rf"[.!?)”\"]\s+(?:{_NAME}(?:/|\s+via\s+|\s+))?{_AGENCY}[./]*$",
        (
            r"(?:^|[\s(\[.])(?:REUTERS|AFP|AP Photo|EPA(?:-EFE)?)/[A-Z][\w.'’ -]{2,40}(?:[/,][\w.'’ -]{2,41})*"
            r"[)\].]*$"
        ),
        rf"[(\[](?:File |Handout )?{_PICTURE}(?: credit)?(?: by | via | courtesy |: ?|/)[^()\[\]]{{2,90}}[)\]]\.?$",
        rf"[(\[](?:File: )?{_NAME}{_SLASHED}(?:/| via ){_AGENCY}(?: via {_AGENCY})?[)\]]\.?$",
        rf"(?:Photograph|Photo|Credit): ?{_NAME}(?:/[A-Z][\w.'’& -]{{1,40}})+$",
        rf"^{_NAME}{_SLASHED}/{_AGENCY}\s+[A-Z]",
        r"^(?:FILE(?: PHOTO)?|File photo|Photo caption|Caption|PICTURED)(?:\s?[:,–—]| -)\s?\S",
        r"^Image (?:caption|source),",
        r"[.!?]\s+(?:Courtesy|Photo by|Photograph by|Handout)(?: of)? [A-Z][\w.'’ &/-]{2,60}$",
    ),
    "advertisement": (
        rf"^(?i:award banner|sponsored(?: content)?|ad(?: feedback)?|paid (?:content|post)){_END}",
        rf"^(?i:(?:scroll|continue reading) (?:below|to continue)|advertisements?(?: ?[—–-].{{0,60}})?){_END}",
        rf"^(?i:(?:story|article) continues (?:below|after)(?: (?:this )?advertisement)?){_END}",
    ),
    "related": (
        rf"^(?:{_LINKS_HEADING}[\s:.…>»→]*)+$",
        rf"^(?i:{_READ})\s?[:|»→]\s?\S",
        r"^(?:MORE|OPINION|WATCH|ANALYSIS|More|Analysis|Opinion|Watch|Listen|Explainer|Explained|Live):\S",
        r"^[A-Z]{4,}(?: [A-Z]+){0,2}:[A-Z'‘“\"][^.]*[^.!:;,]$",
        (
            r"^(?i:analysis|opinion|explainer|explained|exclusive|watch|video|listen|podcast|gallery|photos|in pictures"
            r"|live|live updates|more|fact check|interactive|commentary|insight) ?:\s[^.]*[^.:]$"
        ),
        r"^(?i:(?:see|show|view|load|learn) more(?: here| below)?)[\s.…>»→]*$",
        r"^More [\w ]{2,40}: https?://\S+(?: and https?://\S+)*$",
    ),
    # What the site says of itself.
    "notice": (
        (
            r"^(?i:skip to (?:main )?content|print(?: this)?(?: article| page)?|comments?(?: \(\d+\))?|back to top"
            r"|leave a (?:comment|reply)|listen to (?:this )?article|\d+ min(?:ute)?s? read|loading\W*)$"
        ),
        r"^(?i:(?:share|save|email)(?: this)?(?: article| story| page| post)?(?: (?:on|via) [\w, ]{2,40})?:?)$",
        r"^(?:list(?: \d+)? of \d+(?: items)?|end of list|(?:Privacy Notice|Our Standards): .{2,200})$",
        r"^(?i:(?:this|our) (?:web)?site (?:is best viewed|works best|requires (?:javascript|cookies)|uses cookies)\b)",
        r"^(?i:.{0,60}\b(?:enable|turn on|activate) (?:javascript|cookies)\b.{0,80})$",
        r"^(?i:(?:javascript|your browser) (?:is (?:disabled|not supported|out of date)|does not support)\b)",
        r"^(?i:we(?: and our partners)? use cookies\b|(?:accept|reject|manage) (?:all )?cookies$)",
        r"^(?i:cookie (?:policy|settings|notice))$",
        (
            r"^(?i:(?:order|request) reprints|copy link"
            r"|(?:share|post|save|pin|tweet|email|send)(?: (?:on|to|via|this|it)){0,3}"
            r" (?:facebook|twitter|x|whatsapp|linkedin|pinterest|reddit|telegram|bluesky|a friend|email|by email))\W*$"
        ),
        r"^(?i:this (?:copy is for your personal|article has been sent to)\b.{0,200})$",
        r"^(?i:(?:like|enjoyed) (?:this|what you).{0,40}\? ?(?:share|sign|subscribe|follow).{0,80})$",
        r"^(?i:(?:have|got|do you have) a (?:news )?(?:tip|story)\b.{0,20}\?.{0,160})$",
        r"^\d{4}-\d\d-\d\dT[\d:.+Z-]+$",
        r"^(?i:by (?:continuing|clicking|using|browsing) .{0,80}\b(?:cookies|terms of (?:use|service)|privacy policy))",
    ),
    "newsletter": (
        (
            r"^(?i:[(\[]?(?:sign up|subscribe|click here|get|join|download|stay)\b.{0,160}\b(?:newsletters?|inbox"
            r"|(?:news|email) alerts|(?:telegram|whatsapp|youtube) channel|app (?:now|today|store))\b.{0,120})$"
        ),
        rf"^(?i:follow|like|join|find|connect with) (?:us|me|our\b.{{1,40}}|[A-Z@].{{1,60}}) on {_SOCIAL}\b.{{0,100}}$",
        r"^(?i:.{0,120}\b(?:newsletter|your inbox)\b.{0,120}\b(?:sign(?:ing)? up|subscribe) (?:here|now)\b.{0,60})$",
        r"^(?i:follow (?:us|@\w+))[\s.:!]*$|^Follow .{1,80} at https?://\S+$",
        (
            r"^(?i:(?:thank(?:s| you) for (?:signing up|subscribing)|already (?:a |have an? )?(?:subscriber|account)"
            r"|there was an error processing your (?:request|subscription)|keep an eye on your inbox"
            r"|(?:subscribe|sign in|log in|register)(?: or \w+)?(?: now| here| today)? to (?:continue|keep|unlock)"
            r"|(?:this|the) (?:article|content|story) is (?:only )?(?:for|available to) (?:\w+ )?subscribers"
            r"|(?:click here to )?get (?:the )?[A-Z ]{2,30} (?:app|on the go))\b.{0,160})$"
        ),
        r"^Sign up (?:here|to [A-Z][\w' ]{2,40}|for [A-Z][\w' ]{2,40})[.!]?$",
    ),
    "copyright": (
        r"^(?i:©|\(c\) ?\d{4}|copyright (?:©|\(c\)|\d{4})).{0,200}$",
        r"^(?i:.{0,120}\ball rights reserved\b.{0,120})$",
    ),
    # Who worked on the article.
    "credit": (
        r"^[(\[—– -]*(?:Additional r|With r|R|additional r|with r)eporting (?:by|from) [A-Z].{2,}$",
        r"^[(\[—– -]*(?:Editing|Writing|Compiled|Edited|Written and edited|Reported) by [A-Z][^.]{2,}\.?\)?$",
        r"^(?:Contributing|Contributors?|CONTRIBUTING) ?[:;] ?[A-Z].{2,}$",
        r"^[(\[—– -]*[A-Z].{2,250}\bcontributed (?:to this (?:report|story|article|piece)|reporting)\b.{0,60}$",
        r"^(?:SOURCES?|Source): ?[A-Z][^.]{2,80}$",
    ),
    # "CNN —" in a line of its own; a dateline that begins a paragraph is part of its first sentence.
    "dateline": (rf"^(?:[A-Z][\w ,.'’]{{1,40}})?\(?\b(?:CNN(?: Business)?|{_AGENCY})\)?\s?[—–]$",),
}
PATTERNS = [(kind, re.compile(pattern)) for kind, patterns in _PATTERNS.items() for pattern in patterns]
LINKS_HEADING = re.compile(rf"(?:{_LINKS_HEADING}\s*)+:?$")
CAPTION_BESIDE_CREDIT = re.compile(
    r"\b(?:file (?:photo|picture|image)|pictured|(?:is|are) seen|seen (?:here|in th)|undated|\([LRC]\))"
    rf"|,? {DATE}\.?$"
)
"""Too weak by itself: for the line above a photographer's credit."""

SIGNED_OFF = re.compile(rf"[.!?)”\"]\s+{_AGENCY}[./]*$")
"""An agency behind a full stop: of a caption, or of the article."""

CREDIT_AT_END = re.compile(r"(?<=[.!?”\"])\s*(?=\((?:Additional r|R)eporting by [^()]{3,300}\)\s*$)", re.MULTILINE)
"""Where the credits begin in the last line of a paragraph."""

_PERSON = r"[A-Z][\w.'’-]*(?: (?:[A-Z][\w.'’-]*|de|del|van|von|der|den|la|le|al|bin|da|di|du)){0,4}"
REPORTED_BY = re.compile(
    rf"[(\[—– -]*(?:Reporting|Reported|Written) by (?P<who>{_PERSON}(?: in {_PERSON})?"
    rf"(?:(?:,| and|, and| &) {_PERSON}(?: in {_PERSON})?){{0,5}})"
)
"""A credit with the names of the authors: "(Reporting by Ann Lee in Jakarta; Editing by Bo Ek)"."""
IN_PLACE = re.compile(rf" in {_PERSON}")
SIGNED = re.compile(rf"[—–-]{{1,2}} ?(?!The )(?P<who>[A-Z][\w.'’-]* {_PERSON})(?:, [A-Z][\w ]{{2,40}})?$")
"""The last line of an article: "— Ann Lee, Jakarta"."""
AGENCY = re.compile(_AGENCY)
"""The name of an agency, whose texts newspapers print."""
