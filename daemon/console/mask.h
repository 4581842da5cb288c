/*
 * mask.h - personal values as a list or a log may show them: enough to recognise, too little to use.
 *
 *   张三 -> 张*        John Smith -> J*** S***        david@gmail.com -> d****@gmail.com
 *   +8613812341234 -> +86138****1234                  anything else -> its first character and ***
 *
 * The forms are those in common use in China (hutool's DesensitizedUtil): surname kept, mailbox kept to its first letter, a phone's
 * middle four digits hidden. Appends UTF-8. Pure.
 */
#ifndef TRIBUTARY_CONSOLE_MASK_H
#define TRIBUTARY_CONSOLE_MASK_H

#include "daemon/base/buf.h"

void mask_name(struct slice name, struct buf *out);
void mask_email(struct slice email, struct buf *out);
void mask_phone(struct slice phone, struct buf *out);
/* An e-mail address or a phone number, by its look. */
void mask_contact(struct slice contact, struct buf *out);

#endif
