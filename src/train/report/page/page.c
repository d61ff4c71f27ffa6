/* page.c: one page about runs: HTML that needs nothing but itself. SPDX-License-Identifier: MIT */
#include "train/report/page/page.h"
#include "base/file.h"
#include "base/host.h"
#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a run is made of --------------------------------------------------------------------------------------- */

static void put_pairs(FILE *to, const char *caption, const cJSON *object) {
  const cJSON *item;
  char text[1024];
  fprintf(to, "<details><summary>%s</summary><dl>", caption);
  cJSON_ArrayForEach(item, object) {
    fprintf(to, "<dt>");
    skp__page_text(to, item->string);
    fprintf(to, "</dt><dd>");
    skp__page_text(to, skp__folder_said(text, sizeof text, object, item->string));
    fprintf(to, "</dd>");
  }
  fprintf(to, "</dl></details>\n");
}

/* ---- the network ------------------------------------------------------------------------------------------------- */

static void put_layers(FILE *to, const struct skp_model *m) {
  const struct skp_graph *g = m->graph;
  char shape[96];
  static const char *const names[] = {"layer", "operation", "output", "parameters"};
  char caption[64];
  snprintf(caption, sizeof caption, "The network: %zu layers", g->nodes.n);
  skp__page_begin_table(to, caption, names, 4);
  for (size_t i = 0; i < g->nodes.n; i++) {
    const struct skp_node *node = &g->nodes.at[i];
    fprintf(to, "<tr><td>");
    skp__page_text(to, node->scope);
    fprintf(to, "</td><td>%s</td><td>%s</td><td>%lld</td></tr>", node->op->name,
            skp__shape_text(shape, sizeof shape, &g->tensors.at[node->out[0]].shape),
            (long long)skp__graph_parameters(g, node));
  }
  skp__page_end_table(to);
}

static void put_network(FILE *to, const struct skp_model *m) {
  fprintf(to, "<details><summary>The network, drawn</summary><figure class=wide tabindex=0 role=region "
              "aria-label=\"the network, drawn\">");
  skp__page_network(to, m->graph, false);
  fprintf(to, "</figure></details>\n");
  put_layers(to, m);
}

/* ---- the page ---------------------------------------------------------------------------------------------------- */

static const char head[] =
    "<!doctype html>\n"
    "<html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width, initial-sc"
    "ale=1\"><link rel=icon href=\"data:,\"><title>Skipper: runs</title><style>\n";

static const char style[] =
    "body{margin:0 auto;max-width:70rem;padding:1rem;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,san"
    "s-serif;overflow-wrap:anywhere}h1{font-size:1.6rem}h2{border-top:1px solid var(--line);padding-top:1rem}a{color:"
    "var(--c0)}small,caption{color:var(--dim)}caption{text-align:left;padding:.3rem 0;position:sticky;left:0;max-widt"
    "h:calc(100vw - 2rem)}.curves text{font-size:16px}.curves{display:grid;grid-template-columns:repeat(auto-fit,minm"
    "ax(min(100%,30rem),1fr));gap:1rem}figure{margin:0}svg{max-width:100%;height:auto}.legend{list-style:none;margin:"
    "0;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.9rem}.wide{overflow-x:auto}.wide svg{max-width"
    ":none}table{border-collapse:collapse;overflow-wrap:normal;font-size:.9rem}th,td{padding:.2rem .5rem;border:1px s"
    "olid var(--line);text-align:right}th:first-child,td:first-child{text-align:left}th button{all:unset;cursor:point"
    "er;text-decoration:underline dotted}th button:focus-visible,.wide:focus-visible,summary:focus-visible,a:focus-vi"
    "sible{outline:3px solid var(--c0)}.matrix th:first-child{position:sticky;left:0;background:var(--bg)}.matrix td."
    "right{background:rgb(var(--hit)/calc(var(--s)*.45))}.matrix td.wrong{background:rgb(var(--miss)/calc(var(--s)*.6"
    "))}.share{display:none}.shares:checked~.wide .share{display:inline}.shares:checked~.wide .count{display:none}.pi"
    "ctures{display:flex;flex-wrap:wrap;gap:1rem}.picture{width:9rem}.why{width:17rem}.picture img{width:8rem;height:"
    "8rem;object-fit:contain;image-rendering:pixelated;background:var(--line)}.pairs{display:grid;grid-template-colum"
    "ns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1rem}.pair{width:6rem}.pair img{width:6rem;height:6rem}dl{d"
    "isplay:grid;grid-template-columns:auto 1fr;gap:.1rem 1rem}dd{margin:0}pre{white-space:pre-wrap;border:1px solid "
    "var(--line);padding:.5rem}summary{cursor:pointer;padding:.3rem 0}@media(max-width:32rem){.curves text{font-size:"
    "21px}}@media(min-width:60rem){dl{grid-template-columns:auto 1fr auto 1fr}}@media print{dl{grid-template-columns:"
    "auto 1fr auto 1fr;font-size:.8rem}.curves,.pairs{grid-template-columns:1fr 1fr}.curves text{font-size:23px}detai"
    "ls::details-content{content-visibility:visible}.wide{overflow:visible}.wide svg{max-width:100%}.shares,.shares:n"
    "ot(:checked)+label{display:none}table{font-size:.75rem}th,td{padding:.1rem .3rem}th button{text-decoration:none}"
    ".matrix td{print-color-adjust:exact}h2,h3{break-after:avoid}figure,tr,.matrix,.pairs>li{break-inside:avoid}.pict"
    "ures{gap:.5rem}}\n"
    "</style>\n";

static const char tail[] =
    "<script>\n"
    "document.querySelectorAll('table.sort th button').forEach(b=>b.addEventListener('click',()=>{\n"
    "const th=b.parentNode,t=th.closest('table'),k=[...th.parentNode.children].indexOf(th);\n"
    "const up=th.getAttribute('aria-sort')!=='ascending';\n"
    "t.querySelectorAll('th').forEach(o=>o.setAttribute('aria-sort','none'));\n"
    "th.setAttribute('aria-sort',up?'ascending':'descending');\n"
    "const v=r=>r.children[k].innerText.replace(/ %$/,''),rows=[...t.tBodies[0].rows];\n"
    "rows.sort((a,b)=>{const x=v(a),y=v(b),d=isNaN(x)||isNaN(y)||x===''||y===''?x.localeCompare(y):x-y;return u"
    "p?d:-d});\n"
    "t.tBodies[0].append(...rows)}));\n"
    "</script></body></html>\n";

/* Loads itself again, and leaves open what was opened. */
static const char live[] =
    "<meta http-equiv=refresh content=5><script>addEventListener('DOMContentLoaded',()=>{\n"
    "const k='open'+location.pathname,was=JSON.parse(sessionStorage.getItem(k)||'[]'),all=[...document."
    "querySelectorAll('details')];\n"
    "all.forEach((d,i)=>{d.open=was.includes(i);d.addEventListener('toggle',()=>sessionStorage.setItem(k,"
    "JSON.stringify(all.flatMap((e,n)=>e.open?[n]:[]))))})})</script>\n";

static void put_figures(FILE *to, const struct skp_folder *run) {
  const struct skp_table *t = &run->results;
  const size_t best = skp__folder_best(run);
  const double accuracy = skp__table_number(t, best, skp__table_column(t, "_accuracy"));
  char text[512];
  fprintf(to, "<p>");
  if (best && isfinite(accuracy))
    fprintf(to, "Best accuracy <b>%.2f %%</b> in epoch %s of %zu. ", 100 * accuracy,
            skp__table_cell(t, best, skp__table_column(t, "epoch")), t->rows.n - 1);
  skp__page_text(to, skp__folder_said(text, sizeof text, run->config, "model"));
  fprintf(to, " on ");
  skp__page_text(to,
                 skp__folder_said(text, sizeof text, cJSON_GetObjectItemCaseSensitive(run->config, "train"), "data"));
  fprintf(to, ", ");
  skp__page_text(to, skp__folder_said(text, sizeof text, run->config, "device"));
  fprintf(to, ", begun ");
  skp__page_text(to, skp__folder_said(text, sizeof text, run->config, "started"));
  fprintf(to, ".</p>\n");
}

static skp_status put_run(FILE *to, const struct skp_folder *run, size_t number, const struct skp__page_why *why) {
  struct skp__page_images images;
  struct skp_model *m;
  if (!skp__page_model(&m, run)) m = NULL;
  skp__page_images_open(&images, run);
  fprintf(to, "<section aria-labelledby=run%zu><h2 id=run%zu>", number, number);
  skp__page_text(to, run->path);
  fprintf(to, "</h2>\n");
  put_figures(to, run);
  skp__page_command(to, run, m);
  put_pairs(to, "The recipe", cJSON_GetObjectItemCaseSensitive(run->config, "recipe"));
  if (m) put_network(to, m);
  skp__page_times(to, run);
  skp__page_table(to, "Each epoch", &run->results, 100000);
  if (run->confusion.rows.n > 1) {
    fprintf(to,
            "<h3>Which classes are mixed up</h3>\n<div><input type=checkbox id=shares%zu class=shares> "
            "<label for=shares%zu>shares of the class instead of counts</label>\n",
            number, number);
    skp__page_confusion(to, &images);
    fprintf(to, "</div>\n");
  }
  skp_status status = skp__page_worst(to, &images, why);
  skp__page_images_close(&images);
  skp__model_destroy(m);
  fprintf(to, "</section>\n");
  return status;
}

static skp_status put_page(FILE *to, const struct skp_folder *run, size_t runs, bool reload,
                           const struct skp__page_why *why) {
  fputs(head, to);
  fputs(skp__page_colours, to);
  fputs(style, to);
  if (reload) fputs(live, to);
  fprintf(to, "</head><body><header><h1>Skipper: %zu run%s</h1></header><main>\n<div class=curves>\n", runs,
          runs == 1 ? "" : "s");
  for (const struct skp__page_curve *c = skp__page_all_curves; c->title; c++) skp__page_curves(to, c, run, runs);
  fprintf(to, "</div>\n");
  for (size_t i = 0; i < runs; i++) SKP_TRY(put_run(to, &run[i], i, why));
  fprintf(to, "</main>\n");
  fputs(tail, to);
  return SKP_OK;
}

skp_status skp__page_write(const char *path, const struct skp_folder *run, size_t runs, bool reload,
                           const struct skp__page_why *why) {
  struct skp__memory m;
  if (!skp__memory_open(&m)) return skp__fail_memory("a page", 0);
  skp_status status = put_page(m.to, run, runs, reload, why);
  if (!skp__memory_close(&m) && status == SKP_OK) status = skp__fail_memory("a page", m.bytes);
  if (status == SKP_OK) status = skp__file_write_atomic(path, &(struct skp__file_part){m.text, (int64_t)m.bytes}, 1);
  free(m.text);
  return status;
}
