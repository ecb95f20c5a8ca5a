"""Counts words. A bare script: called over HTTP its event is the request, through /run its event is the input."""

import re
from collections import Counter

text = event.get("body") or event.get("text") or ""
words = re.findall(r"\w+", text.lower())
print(len(words), "words")
return {"words": len(words), "most": dict(Counter(words).most_common(3))}
