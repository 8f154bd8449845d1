import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { AdmissionService } from './admission.service.js';
import { ApiExceptionFilter } from './api-exception.filter.js';
import { Doors } from './doors.js';
import { FailureService } from './failure.service.js';
import { OverloadService } from './overload.service.js';
import { PortsService } from './ports.service.js';

@Module({
  providers: [
    AdmissionService,
    ApiExceptionFilter,
    { provide: Doors, inject: [CONFIG], useFactory: ({ backends }: Config) => new Doors(backends) },
    FailureService,
    OverloadService,
    PortsService,
  ],
  exports: [AdmissionService, ApiExceptionFilter, Doors, FailureService, PortsService],
})
export class HttpEdgeModule {}
