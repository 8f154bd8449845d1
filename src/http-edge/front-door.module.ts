import { type DynamicModule, Global, Module } from '@nestjs/common';
import { FrontDoor } from './front-door.js';

/** Hands the front door to whoever serves at it. */
@Global()
@Module({})
export class FrontDoorModule {
  static with(frontDoor: FrontDoor): DynamicModule {
    return {
      module: FrontDoorModule,
      providers: [{ provide: FrontDoor, useValue: frontDoor }],
      exports: [FrontDoor],
    };
  }
}
