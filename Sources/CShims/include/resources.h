// Files that the program carries inside itself, each ended by a zero. C embeds them in no time; as Swift's arrays of bytes they
// cost the optimizer ten seconds of a build.
#ifndef MYRIAD_RESOURCES_H
#define MYRIAD_RESOURCES_H

const char *_Nonnull myriad_page_css(void);
const char *_Nonnull myriad_page_js(void);
const char *_Nonnull myriad_status_schema_json(void);
const char *_Nonnull myriad_kubernetes_yaml(void);

#endif
