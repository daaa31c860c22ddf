#include "resources.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char page_css[] = {
#embed "../Display/Page/Resources/page.css" suffix(, 0)
};
static const unsigned char page_js[] = {
#embed "../Display/Page/Resources/page.js" suffix(, 0)
};
static const unsigned char status_schema_json[] = {
#embed "../Display/Page/Resources/status.schema.json" suffix(, 0)
};
static const unsigned char kubernetes_yaml[] = {
#embed "../myriad/Render/Resources/kubernetes.yaml" suffix(, 0)
};

const char *myriad_page_css(void) { return (const char *)page_css; }
const char *myriad_page_js(void) { return (const char *)page_js; }
const char *myriad_status_schema_json(void) { return (const char *)status_schema_json; }
const char *myriad_kubernetes_yaml(void) { return (const char *)kubernetes_yaml; }
