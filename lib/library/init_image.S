/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The guest's init, stripped, as read-only bytes: an embedder needs no data file. */
	.section .rodata.avd_init, "a", @progbits
	.balign 16
	.globl avd__init_image
	.hidden avd__init_image
	.type avd__init_image, @object
avd__init_image:
	.incbin INIT_PATH
	.globl avd__init_image_end
	.hidden avd__init_image_end
	.type avd__init_image_end, @object
avd__init_image_end:
	.size avd__init_image, . - avd__init_image
	.byte 0
	.section .note.GNU-stack, "", @progbits
