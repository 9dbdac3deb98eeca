/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * A guest of one page for the tests of machines: an ELF with a PVH entry point, which does what
 * the word "act=X" of its command line says, and is there within milliseconds.
 *
 * PVH (Xen's docs/misc/pvh.pandoc; include/public/arch-x86/hvm/start_info.h): entered in 32-bit
 * protected mode, paging off, flat segments, ebx = struct hvm_start_info, the command line's
 * address at 24.
 *
 *   r  writes "up" to both ports, then resets by the keyboard controller
 *   s  the same, then an ACPI power-off (PIIX4 and ICH9 as SeaBIOS sets them up: port 0x604)
 *   t  the same, then a triple fault
 *   l  the same, then loops
 *   i  the same, then halts for ever
 *   b  256 KiB of counted bytes into the channel, 16 KiB of 'c' into the console, then resets
 *   f  the same bytes into the channel, without end
 */
#define CONSOLE 0x3f8
#define CHANNEL 0x2f8
#define LSR 5
#define LSR_THRE 0x20

	.section .note.pvh, "a", @note
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long entry

	.text
	.code32
	.globl entry
entry:
	cld
	movl $stack_end, %esp
	movl 24(%ebx), %esi
	/* The last "act=" wins: the test's words come last. */
	movb $'r', act
1:	movl (%esi), %eax
	testb %al, %al
	jz 2f
	cmpl $0x3d746361, %eax /* "act=" */
	jne 3f
	movb 4(%esi), %al
	movb %al, act
3:	incl %esi
	jmp 1b

2:	movb act, %al
	cmpb $'b', %al
	je bulk
	cmpb $'f', %al
	je flood
	movw $CONSOLE, %dx
	call up
	movw $CHANNEL, %dx
	call up
	movb act, %al
	cmpb $'s', %al
	je shutdown
	cmpb $'t', %al
	je triple
	cmpb $'l', %al
	je loop_forever
	cmpb $'i', %al
	je idle
reset:
	movb $0xfe, %al
	outb %al, $0x64
idle:
	cli
	hlt
	jmp idle

shutdown:
	movw $0x604, %dx
	movw $0x2000, %ax /* SLP_EN, sleep type 0 */
	outw %ax, %dx
	jmp idle

triple:
	lidt no_idt
	ud2

loop_forever:
	jmp loop_forever

bulk:
	movl $256 << 10, %edi
	call counted
	movl $16 << 10, %edi
	movw $CONSOLE, %dx
1:	movb $'c', %al
	call put
	decl %edi
	jnz 1b
	jmp reset

flood:
	movl $-1, %edi
	call counted
	jmp flood

/* edi bytes 0, 1, ... 250, 0, ...: no power of two, so that a lost block shows */
counted:
	movw $CHANNEL, %dx
	xorl %ecx, %ecx
1:	movb %cl, %al
	call put
	incl %ecx
	cmpl $251, %ecx
	jne 2f
	xorl %ecx, %ecx
2:	decl %edi
	jnz 1b
	ret

up:
	movb $'u', %al
	call put
	movb $'p', %al
	/* falls through */

/* al to the port in dx, once its FIFO has room */
put:
	pushl %eax
	addw $LSR, %dx
1:	inb %dx, %al
	testb $LSR_THRE, %al
	jz 1b
	subw $LSR, %dx
	popl %eax
	outb %al, %dx
	ret

	.data
no_idt:
	.word 0
	.long 0
act:
	.byte 0
	.balign 16
	.fill 256, 1, 0
stack_end:

	.section .note.GNU-stack, "", @progbits
