// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Two functions of elfutils' internal libeu.a, for static linking. From elfutils 0.191 on,
 * libelf's elf_begin() and elf_end() make and end an empty search tree with them, and Debian 13
 * ships libelf.a without libeu.a. Only elf_getdata_rawchunk() puts something into the tree: libbpf
 * does not call it, and where it is linked, eu_tsearch() stays undefined, so this can't go wrong
 * unseen. Built only where libelf.a does not link without it.
 */
void eu_search_tree_init(void *tree);
void eu_search_tree_fini(void *tree, void (*free_node)(void *));

void eu_search_tree_init(void *tree)
{
	(void)tree;
}

void eu_search_tree_fini(void *tree, void (*free_node)(void *))
{
	(void)tree;
	(void)free_node;
}
