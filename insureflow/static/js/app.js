// Small conveniences on top of pages that work without them. No framework, nothing evaluated, no state but column choices.
(function () {
  "use strict";

  var wide = window.matchMedia("(min-width: 992px)");

  function each(root, selector, action) {
    Array.prototype.forEach.call(root.querySelectorAll(selector), action);
  }

  function isTyping(target) {
    return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));
  }

  // Folding parts that have room on a wide screen stand open there.
  function unfold() {
    each(document, "details[data-open-wide]", function (details) {
      details.open = wide.matches;
    });
  }

  // Selects of the header send their form when changed. Dates do not: a date is valid halfway through typing it.
  function onChange(event) {
    var field = event.target;
    if (field.matches("[data-auto-submit]")) {
      field.form.requestSubmit();
    }
    if (field.matches("[data-column-toggle]")) {
      var table = document.getElementById(field.dataset.table);
      showColumn(table, field.dataset.columnToggle, field.checked);
      rememberColumns(field.closest("[data-column-chooser]"));
    }
  }

  // Column chooser -------------------------------------------------------------------------------------------------
  function storageKey(chooser) {
    return "insureflow.columns." + chooser.dataset.columnChooser;
  }

  function showColumn(table, key, isShown) {
    each(table, "[data-column]", function (cell) {
      if (cell.dataset.column === key) {
        cell.classList.toggle("is-hidden", !isShown);
      }
    });
  }

  function rememberColumns(chooser) {
    var hidden = [];
    each(chooser, "[data-column-toggle]", function (box) {
      if (!box.checked) {
        hidden.push(box.dataset.columnToggle);
      }
    });
    try {
      window.localStorage.setItem(storageKey(chooser), JSON.stringify(hidden));
    } catch (error) {
      // Storage may be switched off; the choice then lasts until the page is left.
      console.info("column choice not remembered", error);
    }
  }

  function recallColumns(chooser) {
    var hidden = [];
    try {
      hidden = JSON.parse(window.localStorage.getItem(storageKey(chooser)) || "[]");
    } catch (error) {
      console.info("column choice not readable", error);
    }
    each(chooser, "[data-column-toggle]", function (box) {
      box.checked = hidden.indexOf(box.dataset.columnToggle) === -1;
      showColumn(document.getElementById(box.dataset.table), box.dataset.columnToggle, box.checked);
    });
  }

  // Rows by keyboard: j and k move, Enter opens ---------------------------------------------------------------------
  function moveRow(step) {
    var rows = Array.prototype.slice.call(document.querySelectorAll("table.data-table tbody tr[data-url]"));
    if (!rows.length) {
      return;
    }
    var current = rows.findIndex(function (row) {
      return row.classList.contains("is-current");
    });
    var next = Math.min(rows.length - 1, Math.max(0, current === -1 ? 0 : current + step));
    rows.forEach(function (row, index) {
      row.classList.toggle("is-current", index === next);
    });
    var link = rows[next].querySelector("th a, td a");
    if (link) {
      link.focus({ preventScroll: true });
    }
    rows[next].scrollIntoView({ block: "nearest" });
  }

  function openRow() {
    var row = document.querySelector("table.data-table tbody tr.is-current");
    if (row) {
      window.location.assign(row.dataset.url);
    }
  }

  // The panel with the reasons of a figure --------------------------------------------------------------------------
  var opener = null;

  function closePanel() {
    var panel = document.getElementById("why-panel");
    if (!panel || panel.hidden) {
      return false;
    }
    panel.hidden = true;
    document.getElementById("why-panel-body").replaceChildren();
    if (opener && document.contains(opener)) {
      opener.focus();
    }
    return true;
  }

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.detail.target && event.detail.target.id === "why-panel-body") {
      opener = event.detail.elt;
    }
  });

  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id === "why-panel-body") {
      var panel = document.getElementById("why-panel");
      panel.hidden = false;
      panel.focus();
    }
  });

  // When the answer is an error, the link leads to the whole page, which says what is wrong.
  document.addEventListener("htmx:responseError", function (event) {
    var link = event.detail.elt;
    if (link instanceof HTMLAnchorElement) {
      window.location.assign(link.href);
    }
  });

  // Keys ------------------------------------------------------------------------------------------------------------
  function onKey(event) {
    var box = document.querySelector("[data-search-box]");
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k" && box) {
      event.preventDefault();
      box.focus();
      box.select();
      return;
    }
    if (event.key === "Escape" && closePanel()) {
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
      return;
    }
    if (event.key === "/") {
      var own = document.querySelector("[data-table-search]") || box;
      if (own) {
        event.preventDefault();
        own.focus();
      }
    } else if (event.key === "j" || event.key === "k") {
      moveRow(event.key === "j" ? 1 : -1);
    } else if (event.key === "Enter" && event.target === document.body) {
      openRow();
    }
  }

  // Steps that cannot be undone ask once: the button turns into the question, a second press answers it ------------------
  function onSubmit(event) {
    var form = event.target;
    if (!form.dataset.confirm || form.dataset.isConfirmed) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.querySelector(".confirm-question")) {
      return;
    }
    var submitter = event.submitter;
    var question = document.createElement("div");
    question.className = "confirm-question notice notice-uncovered";
    question.setAttribute("role", "alert");
    var text = document.createElement("span");
    text.textContent = form.dataset.confirm;
    var go = document.createElement("button");
    go.type = "button";
    go.className = "btn btn-sm btn-danger";
    go.textContent = document.body.dataset.confirmGo;
    var cancel = document.createElement("button");
    cancel.type = "button";
    cancel.className = "btn btn-sm btn-outline-secondary";
    cancel.textContent = document.body.dataset.confirmCancel;
    go.addEventListener("click", function () {
      form.dataset.isConfirmed = "yes";
      question.remove();
      form.requestSubmit(submitter || undefined);
    });
    cancel.addEventListener("click", function () {
      question.remove();
      if (submitter) {
        submitter.focus();
      }
    });
    var answers = document.createElement("div");
    answers.append(go, cancel);
    question.append(text, answers);
    form.append(question);
    cancel.focus();
  }

  // A search or filter form leaves out what was not filled in, so that its address stays short ----------------------------
  function onFormData(event) {
    if (!event.target.matches("form[data-short-address]")) {
      return;
    }
    Array.from(event.formData.entries()).forEach(function (entry) {
      if (entry[1] === "") {
        event.formData.delete(entry[0]);
      }
    });
  }

  function onClick(event) {
    if (event.target.closest("[data-close-panel]")) {
      closePanel();
    }
    if (event.target.closest("[data-print]")) {
      window.print();
    }
    each(document, "details[data-close-outside][open]", function (details) {
      if (!details.contains(event.target)) {
        details.open = false;
      }
    });
  }

  function prepare(root) {
    each(root, "[data-column-chooser]", recallColumns);
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("change", onChange);
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("formdata", onFormData);
  document.addEventListener("click", onClick);
  document.addEventListener("htmx:load", function (event) {
    prepare(event.detail.elt);
  });
  wide.addEventListener("change", unfold);
  unfold();
  prepare(document);
})();
