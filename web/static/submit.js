// Goes on to the identity provider. Without scripts, its button does.
"use strict";
const onward = document.getElementById("onward");
if (onward.tagName === "FORM") {
  onward.submit();
} else {
  location.replace(onward.href);
}
