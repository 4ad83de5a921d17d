# How ctest runs the simulator.  Seeds are fixed, so that a run says something about the code and
# not about luck; longer searches are started by hand.
if(TARGET flashcache_sim)
    # Errors and large machines have more states that are rare.
    foreach(machines tiny:100 cuts:100 large:250 calm:100 errors:400 damage:100)
        string(REPLACE ":" ";" machines ${machines})
        list(GET machines 0 profile)
        list(GET machines 1 runs)
        add_test(NAME sim_${profile} COMMAND flashcache_sim --profile ${profile} --runs ${runs})
    endforeach()
    # A power cut at each step of a life.
    add_test(NAME sim_each_step COMMAND flashcache_sim --profile tiny --each-step --steps 300 --runs 15)
    set_tests_properties(sim_tiny sim_cuts sim_large sim_calm sim_errors sim_damage sim_each_step
        PROPERTIES LABELS sim TIMEOUT 1200)
    # Tiny worlds in every order; --states bounds the few that have more.
    add_test(NAME sim_explore COMMAND flashcache_sim --explore all --states 4000)
    set_tests_properties(sim_explore PROPERTIES LABELS sim TIMEOUT 1200)
    # A core with one rule broken must not pass.
    file(GLOB mutations CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/mutations/*.patch)
    add_test(NAME mutations COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/mutations/run ${CMAKE_BINARY_DIR} ${mutations})
    # First of all, because it takes longest.
    set_tests_properties(mutations PROPERTIES LABELS mutations TIMEOUT 3600 COST 1000 PROCESSORS 2)
    # The core's memory and arithmetic, in the same machines.
    foreach(profile cuts errors damage)
        add_test(NAME asan.sim_${profile}
            COMMAND ${CMAKE_SOURCE_DIR}/tests/variant asan flashcache_sim --profile ${profile} --seed 5000 --runs 25)
        set_tests_properties(asan.sim_${profile} PROPERTIES LABELS variant TIMEOUT 1800)
    endforeach()
endif()
