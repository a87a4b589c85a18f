// Goes on to the identity provider. Without scripts, its button does.
"use strict";
document.getElementById("onward").submit();
