# Installing the Lua modules: for Lua 5.4 with the compiled raw module, for LuaJIT with the one over its ffi.

LUA_SHARE := share/lua/5.4 share/lua/5.1
LUA_COMPILED := lib/lua/5.4/tlsshim

.PHONY: install-lua
install:: install-lua
install-lua: $(LUA_COPIES)
	for share in $(LUA_SHARE); do \
	  install -d $(call to,$(PREFIX))/$$share/tlsshim && \
	  install -m 644 $(BUILD)/lua/*.lua $(call to,$(PREFIX))/$$share/ && \
	  install -m 644 $(BUILD)/lua/tlsshim/*.lua $(call to,$(PREFIX))/$$share/tlsshim/ && \
	  ln -sf $(LIBDIR)/$(SONAME) $(call to,$(PREFIX))/$$share/tlsshim/$(SONAME) || exit 1; \
	done
	if [ -f $(BUILD)/lua/tlsshim/swig.so ]; then \
	  install -d $(call to,$(PREFIX))/$(LUA_COMPILED) && \
	  install -m 755 $(BUILD)/lua/tlsshim/swig.so $(call to,$(PREFIX))/$(LUA_COMPILED)/; \
	fi

uninstall::
	rm -rf $(addsuffix /tlsshim,$(addprefix $(call to,$(PREFIX))/,$(LUA_SHARE))) $(call to,$(PREFIX))/$(LUA_COMPILED)
	rm -f $(addsuffix /tlsshim.lua,$(addprefix $(call to,$(PREFIX))/,$(LUA_SHARE)))
