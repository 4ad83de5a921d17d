# How ctest runs the simulator.  Seeds are fixed, so that a run says something about the code and
# not about luck; longer searches are started by hand.
if(TARGET flashcache_sim)
    foreach(profile tiny cuts large calm errors)
        add_test(NAME sim_${profile} COMMAND flashcache_sim --profile ${profile} --runs 100)
        set_tests_properties(sim_${profile} PROPERTIES LABELS sim TIMEOUT 1200)
    endforeach()
endif()
